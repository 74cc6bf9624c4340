import { mediaLimits } from '../../lib/limits.ts'
import { parseRtp } from './rtp.ts'

// RFC 3550 A.1 wants the very next number; a lost packet must not keep a restarted sender out, so a few may be missing.
const IN_A_ROW_MAX = 10

/** One run of numbers that goes on. */
interface Stream {
  ssrc: number
  sequence: number
  atMs: number
}

/**
 * MED-04: a stream goes on when SSRC and sequence continue plausibly. A new SSRC, or a jump beyond the limit, counts only from
 * its second packet in a row (RFC 3550 A.1), and only when the stream before it has ceased: who can forge the address but
 * does not see the packets never gets a word in between those of a sender who is alive. A stream that comes back after a
 * silence may stand anywhere: its SSRC is enough.
 *
 * ```
 *            two in a row, home quiet for 30 ms             1 s without a packet of home
 *   home ────────────────────────────────────► guest ────────────────────────────────────► home
 *     ▲                                          │
 *     └────── home's next plausible packet ──────┘
 * ```
 */
export class StreamContinuity {
  readonly #home: Stream = { ssrc: 0, sequence: 0, atMs: 0 }
  readonly #guest: Stream = { ssrc: 0, sequence: 0, atMs: 0 }
  /** The one of the two that is heard now. */
  #stream: Stream | undefined
  #candidate: { ssrc: number; sequence: number } | undefined

  /** @returns false for a packet that is to be dropped; what is not RTP is left to its reader */
  accepts(datagram: Uint8Array, nowMs: number): boolean {
    const packet = parseRtp(datagram)
    if (typeof packet === 'string') return true
    const { ssrc, sequence } = packet
    if (this.#stream === undefined) this.#stream = this.#home
    else if (this.#stream === this.#guest && isNext(this.#home, ssrc, sequence)) this.#stream = this.#home
    else if (!isNext(this.#stream, ssrc, sequence) && !isBack(this.#stream, ssrc, nowMs)) {
      if (!this.#confirms(ssrc, sequence, nowMs)) {
        this.#candidate = { ssrc, sequence }
        return false
      }
      this.#stream = this.#guest
    }
    this.goOn(ssrc, sequence, nowMs)
    return true
  }

  /** The stream is at this packet now. */
  goOn(ssrc: number, sequence: number, nowMs: number): void {
    const stream = this.#stream ?? this.#home
    stream.ssrc = ssrc
    stream.sequence = sequence
    stream.atMs = nowMs
    this.#candidate = undefined
    if (stream === this.#guest && nowMs - this.#home.atMs >= mediaLimits.streamGoneMs) {
      Object.assign(this.#home, stream)
      this.#stream = this.#home
    }
  }

  /** Packets of the stream came where nobody looked at them: it is alive. */
  heard(nowMs: number): void {
    if (this.#stream !== undefined) this.#stream.atMs = nowMs
  }

  /** True for a packet that simply goes on with the stream. */
  continues(ssrc: number, sequence: number): boolean {
    return this.#stream !== undefined && isNext(this.#stream, ssrc, sequence)
  }

  #confirms(ssrc: number, sequence: number, nowMs: number): boolean {
    if (ssrc !== this.#candidate?.ssrc || nowMs - this.#home.atMs < mediaLimits.streamQuietMs) return false
    const step = sequenceStep(this.#candidate.sequence, sequence)
    return step >= 1 && step <= IN_A_ROW_MAX
  }
}

function isNext(stream: Stream, ssrc: number, sequence: number): boolean {
  return ssrc === stream.ssrc && Math.abs(sequenceStep(stream.sequence, sequence)) <= mediaLimits.sequenceJumpMax
}

function isBack(stream: Stream, ssrc: number, nowMs: number): boolean {
  return ssrc === stream.ssrc && nowMs - stream.atMs >= mediaLimits.streamGoneMs
}

/** How far `to` is ahead of `from` on the 16-bit circle: −32768 to 32767. */
export function sequenceStep(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}
