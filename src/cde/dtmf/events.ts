import { dtmfLimits } from '../../lib/limits.ts'

/** One block of RFC 4733 2.3. Short-lived: it may hold a key. */
export interface TelephoneEvent {
  /** 0–255; 0–15 are keys, 16 is flash. */
  readonly event: number
  readonly end: boolean
  /** Minus dBm0, 0–63. */
  readonly volumeDb: number
  /** In units of the payload type's clock, 0–65535. */
  readonly durationUnits: number
}

export type EventsProblem = 'empty' | 'length-not-4n' | 'too-long'

/**
 * RFC 4733 2.3:
 * ```
 *  0                   1                   2                   3
 * |     event     |E|R| volume    |          duration             |
 * ```
 * The R bit is ignored (2.3.3 reserves it; some senders set it).
 * @param payload of one RTP packet
 */
export function parseEvents(payload: Uint8Array): TelephoneEvent[] | EventsProblem {
  if (payload.length === 0) return 'empty'
  if (payload.length % 4 !== 0) return 'length-not-4n'
  if (payload.length > dtmfLimits.eventPayloadOctetsMax) return 'too-long'
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const events: TelephoneEvent[] = []
  for (let at = 0; at < payload.length; at += 4) {
    const second = view.getUint8(at + 1)
    events.push({
      event: view.getUint8(at),
      end: (second & 0x80) !== 0,
      volumeDb: second & 0x3f,
      durationUnits: view.getUint16(at + 2),
    })
  }
  return events
}
