import { type RandomBytes } from '../../lib/random.ts'
import { rewriteRtp, type RtpNumbers, writeRtp } from '../media/rtp.ts'

/** Apart further than this, the caller's timestamps do not describe one stretch of time any more. */
const JUMP_MS = 10_000
const BACK_MS_MAX = 1_000

/** What of the caller's header matters on our stream. */
export interface RelayedNumbers {
  readonly ssrc: number
  readonly timestamp: number
  readonly marker: boolean
  readonly clockHz: number
}

/**
 * The RTP stream towards the agent (MED-02): own SSRC, sequence and timestamps, continuous whatever the caller's stream does
 * and whether the call is armed or not. Sequence numbers count what we send; timestamps follow the caller's time while we
 * relay and our own clock while we mask. Durations and timestamps are in units of the agent's clock unless they are the source's.
 */
export class AgentStream {
  readonly #ssrc: number
  #sequence: number
  /** Where the next audio continues. */
  #timestamp: number
  /** Of the agent's clock. */
  #unitsPerMs = 8
  #lastSentMs: number | undefined
  #sourceSsrc: number | undefined
  #sourceUnitsPerMs = 8
  /** The same moment in the source's time and in ours. */
  #sourceAt = 0
  #ownAt = 0
  #sourceNext = 0

  constructor(random: RandomBytes) {
    const view = new DataView(Uint8Array.from(random(10)).buffer)
    this.#ssrc = view.getUint32(0)
    this.#sequence = view.getUint16(4)
    this.#timestamp = view.getUint32(6)
  }

  /** The clock of what the agent hears from now on. */
  setClock(clockHz: number): void {
    if (clockHz === this.#unitsPerMs * 1_000) return
    this.#unitsPerMs = clockHz / 1_000
    this.#sourceSsrc = undefined
  }

  /** The next packet of our own clock. */
  next(payloadType: number, payload: Uint8Array, durationMs: number, marker: boolean, nowMs: number): Uint8Array {
    const packet = this.#write(payloadType, payload, this.#timestamp, marker, nowMs)
    this.skip(durationMs)
    this.#sourceSsrc = undefined
    return packet
  }

  /** Where the next audio continues, if it comes when it is due. */
  get timestamp(): number {
    return this.#timestamp
  }

  /** A packet with a timestamp of its own, which the audio around it knows nothing of: an event of another clock. */
  aside(payloadType: number, payload: Uint8Array, timestamp: number, marker: boolean, nowMs: number): Uint8Array {
    return this.#write(payloadType, payload, timestamp, marker, nowMs)
  }

  /** Time that passes without a packet. */
  skip(durationMs: number): void {
    this.#timestamp = (this.#timestamp + Math.round(durationMs * this.#unitsPerMs)) >>> 0
  }

  /**
   * A packet of the caller on our stream.
   * @param source the caller's numbers, in units of its clock
   * @param durationUnits of the source's clock; 0 for telephone events, whose timestamp is the start of the event (RFC 4733 2.5.1.2)
   * @returns `late` for audio older than what was sent already, which would be heard twice or out of order
   */
  relay(
    payloadType: number,
    payload: Uint8Array,
    source: RelayedNumbers,
    durationUnits: number,
    nowMs: number,
  ): Uint8Array | 'late' {
    const unitsPerMs = source.clockHz / 1_000
    const ahead = (source.timestamp - this.#sourceNext) | 0
    const isSameSource =
      source.ssrc === this.#sourceSsrc &&
      unitsPerMs === this.#sourceUnitsPerMs &&
      ahead < JUMP_MS * unitsPerMs &&
      ahead > -BACK_MS_MAX * unitsPerMs
    if (!isSameSource) this.#follow(source, nowMs)
    else if (durationUnits > 0 && ahead < 0) return 'late'
    const timestamp = this.#inOurs(source.timestamp)
    if (durationUnits > 0) {
      this.#sourceAt = source.timestamp
      this.#ownAt = timestamp
      this.#sourceNext = (source.timestamp + durationUnits) >>> 0
      this.#timestamp = this.#inOurs(this.#sourceNext)
    }
    return this.#write(payloadType, payload, timestamp, source.marker || !isSameSource, nowMs)
  }

  /**
   * As `relay` for audio of the source that runs, in the agent's codec, onto a packet where it lies: only its header changes.
   * @returns false, with nothing changed, when `relay` has to decide
   */
  relayInPlace(
    octets: Uint8Array,
    start: number,
    payloadType: number,
    rtp: RtpNumbers,
    durationUnits: number,
    nowMs: number,
  ): boolean {
    const ahead = (rtp.timestamp - this.#sourceNext) | 0
    if (rtp.ssrc !== this.#sourceSsrc || this.#unitsPerMs !== this.#sourceUnitsPerMs) return false
    if (ahead < 0 || ahead >= JUMP_MS * this.#unitsPerMs) return false
    const timestamp = (this.#ownAt + rtp.timestamp - this.#sourceAt) >>> 0
    this.#sourceNext = (rtp.timestamp + durationUnits) >>> 0
    this.#timestamp = (timestamp + durationUnits) >>> 0
    rewriteRtp(octets, start, payloadType, rtp.marker, this.#sequence, timestamp, this.#ssrc)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#lastSentMs = nowMs
    return true
  }

  /** A new source continues where the old one ended, plus the time that has passed since. */
  #follow(source: RelayedNumbers, nowMs: number): void {
    this.skip(this.#lastSentMs === undefined ? 0 : Math.max(0, nowMs - this.#lastSentMs - 20))
    this.#sourceSsrc = source.ssrc
    this.#sourceUnitsPerMs = source.clockHz / 1_000
    this.#sourceAt = source.timestamp
    this.#ownAt = this.#timestamp
    this.#sourceNext = source.timestamp
  }

  /** A timestamp of the source on our clock; counted from the last packet, so that rounding does not add up. */
  #inOurs(timestamp: number): number {
    const units = ((timestamp - this.#sourceAt) | 0) * (this.#unitsPerMs / this.#sourceUnitsPerMs)
    return (this.#ownAt + Math.round(units)) >>> 0
  }

  #write(payloadType: number, payload: Uint8Array, timestamp: number, marker: boolean, nowMs: number): Uint8Array {
    const packet = writeRtp({ payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc }, payload)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#lastSentMs = nowMs
    return packet
  }
}
