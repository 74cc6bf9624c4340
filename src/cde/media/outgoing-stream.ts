import type { RandomBytes } from '../../lib/random.ts'
import { rewriteRtp, type RtpNumbers, writeRtp } from './rtp.ts'

export interface StreamStep {
  readonly sequence: number
  readonly timestampSamples: number
}

/**
 * MED-02: our own RTP stream on one leg. SSRC and the first sequence number and timestamp are random (RFC 3550 5.1);
 * from then on both numbers are continuous, whatever happens to the stream that feeds it.
 */
export class OutgoingStream {
  readonly ssrc: number
  #sequence: number
  #timestamp: number

  constructor(random: RandomBytes) {
    const view = new DataView(Uint8Array.from(random(10)).buffer)
    this.ssrc = view.getUint32(0)
    // RFC 3711 3.3.1: begun in the lower half, so that who misses the first packets of SRTP misses no turn.
    this.#sequence = view.getUint16(4) & 0x7fff
    this.#timestamp = view.getUint32(6)
  }

  /** The timestamp that the next packet will carry; 32 bits. */
  get timestamp(): number {
    return this.#timestamp
  }

  /**
   * The next packet of the stream.
   * @param durationSamples how far the timestamp moves afterwards: 0 for all but the last packet of a telephone event
   * @param marker set on the first packet after a silence or of an event (RFC 3551 4.1, RFC 4733 2.5.1.1)
   */
  next(payloadType: number, payload: Uint8Array, durationSamples: number, marker = false): Uint8Array {
    const fields = { payloadType, marker, sequence: this.#sequence, timestamp: this.#timestamp, ssrc: this.ssrc }
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.skip(durationSamples)
    return writeRtp(fields, payload)
  }

  /**
   * A packet that keeps the place it had in a stream that we relay: `step` counts from the newest packet sent. Steps forward
   * move the stream on, gaps included; a late packet (negative sequence step) takes its old place and moves nothing.
   */
  placed(payloadType: number, payload: Uint8Array, step: StreamStep, marker: boolean): Uint8Array {
    const sequence = (this.#sequence - 1 + step.sequence) & 0xffff
    const timestamp = (this.#timestamp + step.timestampSamples) >>> 0
    if (step.sequence >= 0) {
      this.#sequence = (sequence + 1) & 0xffff
      this.#timestamp = timestamp
    }
    return writeRtp({ payloadType, marker, sequence, timestamp, ssrc: this.ssrc }, payload)
  }

  /** A packet with a timestamp of its own, which the packets around it know nothing of: an event of another clock. */
  aside(
    payloadType: number,
    payload: Uint8Array,
    sequenceStep: number,
    timestamp: number,
    marker: boolean,
  ): Uint8Array {
    const sequence = (this.#sequence - 1 + sequenceStep) & 0xffff
    if (sequenceStep >= 0) this.#sequence = (sequence + 1) & 0xffff
    return writeRtp({ payloadType, marker, sequence, timestamp, ssrc: this.ssrc }, payload)
  }

  /** As `placed` for a step forward, onto a packet where it lies: only its header changes. */
  placedInPlace(
    octets: Uint8Array,
    start: number,
    payloadType: number,
    sequenceStep: number,
    timestampSamples: number,
    { marker }: RtpNumbers,
  ): void {
    const sequence = (this.#sequence - 1 + sequenceStep) & 0xffff
    this.#timestamp = (this.#timestamp + timestampSamples) >>> 0
    this.#sequence = (sequence + 1) & 0xffff
    rewriteRtp(octets, start, payloadType, marker, sequence, this.#timestamp, this.ssrc)
  }

  /** Lets time pass without a packet: the sequence stays, the timestamp moves on. */
  skip(durationSamples: number): void {
    this.#timestamp = (this.#timestamp + durationSamples) >>> 0
  }
}
