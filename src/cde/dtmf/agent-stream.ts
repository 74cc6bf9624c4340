import { type RandomBytes } from '../../lib/random.ts'
import { rewriteRtp, type RtpNumbers, writeRtp } from '../media/rtp.ts'

const SAMPLES_PER_MS = 8
/** Apart further than this, the caller's timestamps do not describe one stretch of time any more. */
const JUMP_SAMPLES = 80_000
const BACK_SAMPLES_MAX = 8_000

/**
 * The RTP stream towards the agent (MED-02): own SSRC, sequence and timestamps, continuous whatever the caller's stream does
 * and whether the call is armed or not. Sequence numbers count what we send; timestamps follow the caller's time while we
 * relay and our own clock while we mask.
 */
export class AgentStream {
  readonly #ssrc: number
  #sequence: number
  /** Where the next audio continues. */
  #timestamp: number
  #lastSentMs: number | undefined
  #sourceSsrc: number | undefined
  #sourceOffset = 0
  #sourceNext = 0

  constructor(random: RandomBytes) {
    const view = new DataView(Uint8Array.from(random(10)).buffer)
    this.#ssrc = view.getUint32(0)
    this.#sequence = view.getUint16(4)
    this.#timestamp = view.getUint32(6)
  }

  /** The next packet of our own clock. */
  next(payloadType: number, payload: Uint8Array, durationSamples: number, marker: boolean, nowMs: number): Uint8Array {
    const packet = this.#write(payloadType, payload, this.#timestamp, marker, nowMs)
    this.#timestamp = (this.#timestamp + durationSamples) >>> 0
    this.#sourceSsrc = undefined
    return packet
  }

  /** Time that passes without a packet. */
  skip(durationSamples: number): void {
    this.#timestamp = (this.#timestamp + durationSamples) >>> 0
  }

  /**
   * A packet of the caller on our stream.
   * @param source the caller's numbers
   * @param durationSamples 0 for telephone events, whose timestamp is the start of the event (RFC 4733 2.5.1.2)
   * @returns `late` for audio older than what was sent already, which would be heard twice or out of order
   */
  relay(
    payloadType: number,
    payload: Uint8Array,
    source: { readonly ssrc: number; readonly timestamp: number; readonly marker: boolean },
    durationSamples: number,
    nowMs: number,
  ): Uint8Array | 'late' {
    const ahead = (source.timestamp - this.#sourceNext) | 0
    const isSameSource = source.ssrc === this.#sourceSsrc && ahead < JUMP_SAMPLES && ahead > -BACK_SAMPLES_MAX
    if (!isSameSource) this.#follow(source, nowMs)
    else if (durationSamples > 0 && ahead < 0) return 'late'
    const timestamp = (source.timestamp + this.#sourceOffset) >>> 0
    if (durationSamples > 0) {
      this.#sourceNext = (source.timestamp + durationSamples) >>> 0
      this.#timestamp = (timestamp + durationSamples) >>> 0
    }
    return this.#write(payloadType, payload, timestamp, source.marker || !isSameSource, nowMs)
  }

  /**
   * As `relay` for audio of the source that runs, onto a packet where it lies: only its header changes.
   * @returns false, with nothing changed, when `relay` has to decide
   */
  relayInPlace(octets: Uint8Array, start: number, payloadType: number, rtp: RtpNumbers, nowMs: number): boolean {
    const ahead = (rtp.timestamp - this.#sourceNext) | 0
    if (rtp.ssrc !== this.#sourceSsrc || ahead < 0 || ahead >= JUMP_SAMPLES) return false
    const timestamp = (rtp.timestamp + this.#sourceOffset) >>> 0
    this.#sourceNext = (rtp.timestamp + rtp.payloadOctets) >>> 0
    this.#timestamp = (timestamp + rtp.payloadOctets) >>> 0
    rewriteRtp(octets, start, payloadType, rtp.marker, this.#sequence, timestamp, this.#ssrc)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#lastSentMs = nowMs
    return true
  }

  /** A new source continues where the old one ended, plus the time that has passed since. */
  #follow(source: { readonly ssrc: number; readonly timestamp: number }, nowMs: number): void {
    const silentMs = this.#lastSentMs === undefined ? 0 : Math.max(0, nowMs - this.#lastSentMs - 20)
    this.skip(Math.round(silentMs * SAMPLES_PER_MS))
    this.#sourceSsrc = source.ssrc
    this.#sourceOffset = (this.#timestamp - source.timestamp) | 0
    this.#sourceNext = source.timestamp
  }

  #write(payloadType: number, payload: Uint8Array, timestamp: number, marker: boolean, nowMs: number): Uint8Array {
    const packet = writeRtp({ payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc }, payload)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#lastSentMs = nowMs
    return packet
  }
}
