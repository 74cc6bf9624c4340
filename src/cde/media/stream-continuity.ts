import { mediaLimits } from '../../lib/limits.ts'
import { parseRtp } from './rtp.ts'

// RFC 3550 A.1 wants the very next number; a lost packet must not keep a restarted sender out, so a few may be missing.
const IN_A_ROW_MAX = 10

/**
 * MED-04: a stream goes on when SSRC and sequence continue plausibly. A new SSRC, or a jump beyond the limit, counts only
 * from its second packet in a row, so that a single stray packet cannot take the stream over (RFC 3550 A.1).
 */
export class StreamContinuity {
  readonly #stream = { ssrc: 0, sequence: 0 }
  #hasStream = false
  #candidate: { ssrc: number; sequence: number } | undefined

  /** @returns false for a packet that is to be dropped; what is not RTP is left to its reader */
  accepts(datagram: Uint8Array): boolean {
    const packet = parseRtp(datagram)
    if (typeof packet === 'string') return true
    const { ssrc, sequence } = packet
    if (!this.#hasStream || this.continues(ssrc, sequence) || this.#confirms(ssrc, sequence)) {
      this.goOn(ssrc, sequence)
      return true
    }
    this.#candidate = { ssrc, sequence }
    return false
  }

  /** The stream is at this packet now. */
  goOn(ssrc: number, sequence: number): void {
    this.#stream.ssrc = ssrc
    this.#stream.sequence = sequence
    this.#hasStream = true
    this.#candidate = undefined
  }

  /** True for a packet that simply goes on with the stream. */
  continues(ssrc: number, sequence: number): boolean {
    return (
      this.#hasStream &&
      ssrc === this.#stream.ssrc &&
      Math.abs(sequenceStep(this.#stream.sequence, sequence)) <= mediaLimits.sequenceJumpMax
    )
  }

  #confirms(ssrc: number, sequence: number): boolean {
    if (ssrc !== this.#candidate?.ssrc) return false
    const step = sequenceStep(this.#candidate.sequence, sequence)
    return step >= 1 && step <= IN_A_ROW_MAX
  }
}

/** How far `to` is ahead of `from` on the 16-bit circle: −32768 to 32767. */
export function sequenceStep(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}
