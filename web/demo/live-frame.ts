/** One binary message of the simulators' live stream: octet 0 says whose sound it is, then 16-bit samples at 8 kHz. */
import type { Direction } from './spectrogram/timeline.ts'

const HEADER_OCTETS = 4
const SAMPLES_MAX = 1_600

export interface LiveFrame {
  readonly direction: Direction
  readonly samples: Int16Array
}

/** Never throws: a frame that does not fit is named. */
export function readLiveFrame(message: ArrayBuffer): LiveFrame | 'short' | 'too-long' | 'odd' | 'direction-unknown' {
  const octets = message.byteLength - HEADER_OCTETS
  if (octets < 2) return 'short'
  if (octets % 2 !== 0) return 'odd'
  if (octets / 2 > SAMPLES_MAX) return 'too-long'
  const view = new DataView(message)
  const leg = view.getUint8(0)
  if (leg > 1) return 'direction-unknown'
  const samples = Int16Array.from({ length: octets / 2 }, (_, i) => view.getInt16(HEADER_OCTETS + 2 * i, true))
  return { direction: leg === 0 ? 'caller' : 'agent', samples }
}
