/** A small jitter buffer: packets go in as they come, one frame of 20 ms comes out per tick. For live listening only. Sans-I/O. */
import { FRAME_SAMPLES } from './audio-source.ts'

const RING_SAMPLES = 8_192
const DELAY_SAMPLES = 3 * FRAME_SAMPLES
// Further ahead than this, the listener is brought back to the usual delay: fresh sound matters more than complete sound.
const AHEAD_SAMPLES_MAX = 12 * FRAME_SAMPLES

export class Playout {
  readonly #ring = new Int16Array(RING_SAMPLES)
  /** Position that the next frame begins at. */
  #cursor = 0
  /** Position after the newest sample. */
  #end = 0
  #playing = false

  /** @param position of the first sample on the sender's time line; what is older than the cursor is too late and dropped */
  write(position: number, samples: Int16Array): void {
    const end = position + samples.length
    if (end <= this.#cursor) return
    if (!this.#playing && this.#end <= this.#cursor) this.#cursor = Math.max(this.#cursor, position)
    if (end - this.#cursor > AHEAD_SAMPLES_MAX) this.#moveCursor(end - DELAY_SAMPLES)
    for (let i = 0; i < samples.length; i++) {
      const at = position + i
      if (at >= this.#cursor) this.#ring[at % RING_SAMPLES] = samples[i] ?? 0
    }
    this.#end = Math.max(this.#end, end)
    if (this.#end - this.#cursor >= DELAY_SAMPLES) this.#playing = true
  }

  /** The next 20 ms; silence while the buffer fills up. */
  next(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES)
    if (!this.#playing) return frame
    if (this.#end <= this.#cursor) {
      this.#playing = false
      return frame
    }
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = (this.#cursor + i) % RING_SAMPLES
      frame[i] = this.#ring[at] ?? 0
      this.#ring[at] = 0
    }
    this.#cursor += FRAME_SAMPLES
    return frame
  }

  #moveCursor(position: number): void {
    const from = this.#cursor
    this.#cursor = Math.max(position, from)
    // What is jumped over must not sound when the ring comes round again.
    for (let at = from; at < Math.min(this.#cursor, from + RING_SAMPLES); at++) this.#ring[at % RING_SAMPLES] = 0
  }
}
