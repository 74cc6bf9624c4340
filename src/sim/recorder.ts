/** Records one direction of a call on the sender's time line: what was lost or not sent is silence. Sans-I/O. */
import { simLimits } from '../lib/limits.ts'
import { RATE_HZ } from './audio-source.ts'

export interface Recording {
  /** 8 kHz, mono. */
  readonly samples: Int16Array
  readonly rateHz: number
  /** When the first sample was said, on the simulators' monotonic clock: the same for all recordings of one process. */
  readonly startedAtMs: number
}

const SAMPLES_MAX = (simLimits.recordingMs * RATE_HZ) / 1_000

export class Recorder {
  #samples = new Int16Array(RATE_HZ)
  #length = 0

  /** Puts samples at a position; overwrites what is there. What lies before 0 or beyond the limit is left out. */
  write(position: number, samples: Int16Array): void {
    const skip = Math.max(0, -position)
    const at = position + skip
    const end = Math.min(at + samples.length - skip, SAMPLES_MAX)
    if (end <= at) return
    this.#grow(end)
    this.#samples.set(samples.subarray(skip, skip + end - at), at)
    this.#length = Math.max(this.#length, end)
  }

  /** A copy of what was recorded so far. @param startedAtMs time of position 0 */
  recording(startedAtMs: number): Recording {
    return { samples: this.#samples.slice(0, this.#length), rateHz: RATE_HZ, startedAtMs }
  }

  #grow(length: number): void {
    if (length <= this.#samples.length) return
    const grown = new Int16Array(Math.min(SAMPLES_MAX, Math.max(length, this.#samples.length * 2)))
    grown.set(this.#samples.subarray(0, this.#length))
    this.#samples = grown
  }
}
