import { seededRandom } from '../../lib/random.ts'
import type { MaskPolicy } from '../../wall/settings.ts'
import { decodeG711, encodeG711, type G711Codec } from '../media/g711.ts'
import { parseRtp, writeRtp } from '../media/rtp.ts'
import { CallerDirection } from './caller-direction.ts'
import type { KeyCode } from './key-codes.ts'
import type { ReplacementKind } from './replacement.ts'
import { REPORT_HOP_SAMPLES, REPORT_WINDOW_SAMPLES, Reporter } from './reporter.ts'
import { fromBaseRate, toBaseRate } from '../media/resample.ts'
import { ToneBand } from './tone-band.ts'
import { BLOCK_SAMPLES, ToneBank } from './tone-bank.ts'

export interface Span {
  readonly startMs: number
  readonly endMs: number
}

export interface MaskedRecording {
  /** At the rate and of the length that was given. */
  readonly samples: Int16Array
  /** What was replaced, in order, not touching each other. */
  readonly spans: readonly Span[]
  /** Packets of the agent's leg that were neither audio nor ours; 0 unless something is wrong. */
  readonly foreignPackets: number
}

export interface HeardKey extends Span {
  readonly key: KeyCode
}

const PACKET_SAMPLES = 160
const PACKET_MS = 20
const SAMPLES_PER_MS = 8
const JITTER_MS = 40
const DELAY_MS = 60 + JITTER_MS
/** Silence before and after the recording, so that its own edges are not those of a stream. */
const PADDING_PACKETS = 5
const FORMATS = { PCMU: 0, PCMA: 8 } as const

export interface RecordingOptions {
  readonly replacement?: ReplacementKind
  readonly codec?: G711Codec
  readonly maskPolicy?: MaskPolicy
  /** Whether the caller was being asked for keys all the while. */
  readonly isFieldOpen?: boolean
}

/**
 * What an agent would have heard: the recording as RTP packets of G.711 through an armed CallerDirection, in virtual time.
 * @param rateHz 8,000, 16,000 or 48,000. @throws RangeError on a rate that is no multiple of 8,000
 */
export function maskRecording(samples: Int16Array, rateHz: number, options: RecordingOptions = {}): MaskedRecording {
  const { replacement = 'flat', codec = 'PCMA', maskPolicy = 'adaptive', isFieldOpen = false } = options
  const sound = toBaseRate(samples, rateHz)
  const packets = Math.ceil(sound.length / PACKET_SAMPLES) + 2 * PADDING_PACKETS
  const heard = new Int16Array((packets + DELAY_MS / PACKET_MS + 1) * PACKET_SAMPLES)
  const spans = new Spans((PADDING_PACKETS * PACKET_SAMPLES) / SAMPLES_PER_MS + DELAY_MS, sound.length / SAMPLES_PER_MS)
  const direction = new CallerDirection({
    replacement,
    jitterMs: JITTER_MS,
    random: seededRandom(1),
    onKey: () => {},
    onUncertain: () => {},
    onMaskFailed: () => {},
    onMasked: (from, to) => spans.add(from / SAMPLES_PER_MS, to / SAMPLES_PER_MS),
  })
  const formats = [{ payloadType: FORMATS[codec], codec, clockHz: 8_000 }]
  direction.setFormats(formats, formats, 0)
  let heardTo = 0
  let foreignPackets = 0
  const hear = (sent: readonly Uint8Array[]): void => {
    for (const packet of sent) {
      const rtp = parseRtp(packet)
      const isAudio =
        typeof rtp !== 'string' && rtp.payloadType === FORMATS[codec] && rtp.payload.length === PACKET_SAMPLES
      if (isAudio) heard.set(decodeG711(codec, rtp.payload), heardTo)
      else foreignPackets++
      heardTo += PACKET_SAMPLES
    }
  }
  hear(direction.arm(0, maskPolicy))
  direction.setFieldOpen(isFieldOpen, 0)
  for (let index = 0; heardTo + PACKET_SAMPLES <= heard.length; index++) {
    hear(direction.receive(audioPacket(sound, index, codec), index * PACKET_MS))
    hear(direction.tick((index + 1) * PACKET_MS))
  }
  const start = DELAY_MS * SAMPLES_PER_MS + PADDING_PACKETS * PACKET_SAMPLES
  const atBaseRate = heard.subarray(start, start + sound.length)
  return { samples: fromBaseRate(atBaseRate, rateHz, samples.length), spans: spans.list, foreignPackets }
}

/**
 * The keys that the reporter of live calls hears.
 * @param rateHz 8,000, 16,000 or 48,000. @throws RangeError on a rate that is no multiple of 8,000
 * @param onDoubt called for each press whose key is not certain
 */
export function findKeys(samples: Int16Array, rateHz: number, onDoubt: () => void = () => {}): HeardKey[] {
  const sound = toBaseRate(samples, rateHz)
  const keys: { key: KeyCode; startMs: number; endMs: number }[] = []
  const reporter = new Reporter({
    onPress: (key, from) => keys.push({ key, startMs: from / SAMPLES_PER_MS, endMs: 0 }),
    onRelease: (to) => {
      const last = keys.at(-1)
      if (last !== undefined) last.endMs = to / SAMPLES_PER_MS
    },
    onDoubt: () => onDoubt(),
  })
  const bank = new ToneBank()
  const band = new ToneBank()
  const filter = new ToneBand()
  const block = new Float64Array(BLOCK_SAMPLES)
  for (let to = BLOCK_SAMPLES; to < sound.length + 2 * REPORT_WINDOW_SAMPLES; to += BLOCK_SAMPLES) {
    for (let i = 0; i < BLOCK_SAMPLES; i++) block[i] = sound[to - BLOCK_SAMPLES + i] ?? 0
    filter.split(block, bank, band)
    if (to % REPORT_HOP_SAMPLES === 0) reporter.hear(bank, band, to - REPORT_WINDOW_SAMPLES)
  }
  reporter.wipe()
  return keys
}

function audioPacket(sound: Int16Array, index: number, codec: G711Codec): Uint8Array {
  const from = (index - PADDING_PACKETS) * PACKET_SAMPLES
  const samples = new Int16Array(PACKET_SAMPLES)
  if (from >= 0) samples.set(sound.subarray(from, from + PACKET_SAMPLES))
  const fields = {
    payloadType: FORMATS[codec],
    marker: index === 0,
    sequence: index & 0xffff,
    timestamp: (index * PACKET_SAMPLES) >>> 0,
    ssrc: 1,
  }
  return writeRtp(fields, encodeG711(codec, samples))
}

/** Collects spans of the delayed stream in the recording's own time, joining neighbours. */
class Spans {
  readonly list: { startMs: number; endMs: number }[] = []
  readonly #offsetMs: number
  readonly #lengthMs: number

  constructor(offsetMs: number, lengthMs: number) {
    this.#offsetMs = offsetMs
    this.#lengthMs = lengthMs
  }

  add(fromMs: number, toMs: number): void {
    const startMs = Math.max(0, fromMs - this.#offsetMs)
    const endMs = Math.min(this.#lengthMs, toMs - this.#offsetMs)
    const last = this.list.at(-1)
    if (startMs >= endMs) return
    if (last !== undefined && startMs <= last.endMs) last.endMs = endMs
    else this.list.push({ startMs, endMs })
  }
}
