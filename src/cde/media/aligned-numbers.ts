import { kernelLimits, mediaLimits } from '../../lib/limits.ts'
import type { RtpNumbers } from './rtp.ts'
import { sequenceStep } from './stream-continuity.ts'

/** Sequence number and timestamp of RTP. */
interface Place {
  sequence: number
  timestamp: number
}

/** What of a source's packet counts here. */
export type SourceNumbers = Pick<RtpNumbers, 'ssrc' | 'sequence' | 'timestamp'>

/** RFC 3551 4.2 asks for 20 ms of audio in a packet; nobody sends less than 10. */
const PACKET_MS_MIN = 10
const UNITS_PER_MS = 8

/**
 * An outgoing stream that keeps its source's SSRC, sequence numbers and timestamps for as long as it only relays, as a
 * translator does (RFC 3550 7.1): so packets that the kernel forwards, which cannot renumber, belong to the same stream. It
 * stands behind the stream that numbers by itself, and gives its packets their numbers on the wire.
 * ```
 *             first relayed packet                       a packet of our own, another SSRC, a jump
 *   unbegun ───────────────────────► following ──────────────────────────────────────────────────► apart
 *      │                              ▲      │ lend                                                  ▲
 *      │                    take back └─lent◄┘                                                       │
 *      └── a packet of our own: the numbers stay the stream's own ───────────────────────────────────┘
 * ```
 * Apart: the stream's numbers and SSRC as before, moved by what the two were apart last. It never follows again.
 * Timestamps of 8 kHz only.
 */
export class AlignedNumbers {
  #state: 'unbegun' | 'following' | 'lent' | 'apart' = 'unbegun'
  #ssrc: number | undefined
  #isGivenUp = false
  /** What the numbers on the wire are ahead of the stream's. */
  readonly #ahead: Place = { sequence: 0, timestamp: 0 }
  /** Of the source's newest packet. */
  readonly #newest = { sequence: 0, timestamp: 0, atMs: 0 }
  /** Since when it is not known what the kernel sent last. */
  #unknownSinceMs: number | undefined

  /** True while the numbers on the wire are the source's own. */
  get isAligned(): boolean {
    return !this.#isGivenUp && (this.#state === 'following' || this.#state === 'lent')
  }

  /** The packets can keep their numbers no longer: encrypted, or on another clock. */
  giveUp(): void {
    this.#isGivenUp = true
    if (this.#state === 'unbegun') this.#state = 'apart'
  }

  /** From now on the kernel sends, too. */
  lend(): void {
    if (this.#state === 'following') this.#state = 'lent'
  }

  /** The kernel sends no more. How far it came, the source's next packet tells. */
  takeBack(nowMs: number): void {
    if (this.#state !== 'lent') return
    this.#state = 'following'
    this.#unknownSinceMs = nowMs
  }

  /** A packet of the source came, which is not relayed. */
  seen(source: SourceNumbers, nowMs: number): void {
    if (source.ssrc === this.#ssrc && sequenceStep(this.#newest.sequence, source.sequence) > 0)
      this.#note(source, nowMs)
  }

  /**
   * A packet of the source is about to leave. @param octets with the packet at `start`, as the stream has numbered it
   * @param source as it came
   */
  relayed(octets: Uint8Array, start: number, source: SourceNumbers, nowMs: number): void {
    if (this.#state === 'unbegun') {
      this.#state = 'following'
      this.#ssrc = source.ssrc
      this.#note(source, nowMs)
    }
    if (this.#state !== 'apart' && !this.#goesOn(source)) this.#part(octets, start, nowMs)
    if (this.#state === 'apart') return this.#move(octets, start)
    if (sequenceStep(this.#newest.sequence, source.sequence) >= 0) {
      this.#note(source, nowMs)
      this.#unknownSinceMs = undefined
      this.#keepApart(octets, start, source)
    }
    writeNumbers(octets, start, source, source.ssrc)
  }

  /**
   * A packet of our own is about to leave. @returns false when it must not: it is not known yet what the kernel sent last
   */
  own(octets: Uint8Array, start: number, nowMs: number): boolean {
    if (this.#state === 'lent' || this.#isWaiting(nowMs)) return false
    if (this.#state !== 'apart') this.#part(octets, start, nowMs)
    this.#move(octets, start)
    return true
  }

  #goesOn({ ssrc, sequence }: SourceNumbers): boolean {
    if (this.#isGivenUp || ssrc !== this.#ssrc) return false
    // While the kernel forwards we see one packet in 128, if none of these is lost.
    if (this.#state === 'lent' || this.#unknownSinceMs !== undefined) return true
    return Math.abs(sequenceStep(this.#newest.sequence, sequence)) <= mediaLimits.sequenceJumpMax
  }

  #isWaiting(nowMs: number): boolean {
    const since = this.#unknownSinceMs
    return since !== undefined && this.#newest.atMs < since && nowMs < since + kernelLimits.numbersAwaitedMs
  }

  /** From here on the stream numbers. What the kernel may have sent stays behind us. */
  #part(octets: Uint8Array, start: number, nowMs: number): void {
    const isLent = this.#state === 'lent'
    const since = this.#unknownSinceMs
    this.#state = 'apart'
    if (!isLent && since === undefined) return
    const { sequence, timestamp, atMs } = this.#newest
    // A packet that came since then is not sent: its place is ours.
    if (since !== undefined && atMs >= since) return this.#keepApart(octets, start, this.#newest)
    const elapsedMs = nowMs - atMs
    const atMost = {
      sequence: sequence + 1 + Math.ceil(elapsedMs / PACKET_MS_MIN),
      timestamp: timestamp + Math.ceil(elapsedMs * UNITS_PER_MS),
    }
    this.#keepApart(octets, start, atMost)
  }

  /** The stream's numbers of this packet stand for `wire`. */
  #keepApart(octets: Uint8Array, start: number, wire: Place): void {
    const own = readNumbers(octets, start)
    this.#ahead.sequence = (wire.sequence - own.sequence) & 0xffff
    this.#ahead.timestamp = (wire.timestamp - own.timestamp) >>> 0
  }

  #move(octets: Uint8Array, start: number): void {
    if (this.#ssrc === undefined) return
    const own = readNumbers(octets, start)
    const { sequence, timestamp } = this.#ahead
    const wire = { sequence: own.sequence + sequence, timestamp: own.timestamp + timestamp }
    writeNumbers(octets, start, wire, this.#ssrc)
  }

  #note({ sequence, timestamp }: Place, nowMs: number): void {
    this.#newest.sequence = sequence
    this.#newest.timestamp = timestamp
    this.#newest.atMs = nowMs
  }
}

// No DataView: one per packet would cost more than all the rest.
function readNumbers(octets: Uint8Array, start: number): Place {
  return {
    sequence: uint16(octets, start + 2),
    timestamp: uint16(octets, start + 4) * 0x1_0000 + uint16(octets, start + 6),
  }
}

/** RFC 3550 5.1: the last ten octets of the bare header. Numbers are taken modulo their field's size. */
function writeNumbers(octets: Uint8Array, start: number, { sequence, timestamp }: Place, ssrc: number): void {
  setUint16(octets, start + 2, sequence)
  setUint16(octets, start + 4, timestamp >>> 16)
  setUint16(octets, start + 6, timestamp)
  setUint16(octets, start + 8, ssrc >>> 16)
  setUint16(octets, start + 10, ssrc)
}

function uint16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)
}

function setUint16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >> 8
  octets[at + 1] = value
}
