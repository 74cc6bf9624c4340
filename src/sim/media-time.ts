/** Unwraps the 32-bit timestamps of an RTP stream into sample positions that only jump when the sender does. Sans-I/O. */
import { RATE_HZ } from './audio-source.ts'

// A step beyond this, either way, is a new clock rather than loss or reordering.
const JUMP_SAMPLES_MAX = 5 * RATE_HZ

export class MediaTime {
  #ssrc: number | undefined
  #lastTimestamp = 0
  #lastPosition = 0
  #originMs = 0

  /** The monotonic time of position 0; undefined before the first packet. */
  get originMs(): number | undefined {
    return this.#ssrc === undefined ? undefined : this.#originMs
  }

  /**
   * @param samples length of the packet's audio
   * @returns position of the packet's first sample; 0 for the first packet, negative for one from before it.
   *   After a change of SSRC or a jump of the timestamp the position continues by arrival time (RFC 3550 5.1: a new SSRC
   *   has a new random timestamp).
   */
  position(ssrc: number, timestamp: number, samples: number, arrivalMs: number): number {
    if (this.#ssrc === undefined) {
      // The packet holds what was said during the 20 ms before it left.
      this.#originMs = arrivalMs - (samples * 1_000) / RATE_HZ
      return this.#take(ssrc, timestamp, 0)
    }
    const step = (timestamp - this.#lastTimestamp) | 0
    if (ssrc === this.#ssrc && Math.abs(step) <= JUMP_SAMPLES_MAX) {
      const position = this.#lastPosition + step
      return step > 0 ? this.#take(ssrc, timestamp, position) : position
    }
    const byArrival = Math.round(((arrivalMs - this.#originMs) * RATE_HZ) / 1_000) - samples
    return this.#take(ssrc, timestamp, Math.max(byArrival, this.#lastPosition + samples))
  }

  #take(ssrc: number, timestamp: number, position: number): number {
    this.#ssrc = ssrc
    this.#lastTimestamp = timestamp
    this.#lastPosition = position
    return position
  }
}
