/**
 * Evens out the arrival of sound: it waits for a little stock, plays, and forgets the oldest when too much has
 * gathered.
 */

/** 80 ms in stock before playing begins; at most 320 ms. */
const START_SAMPLES = 640
const CAPACITY_SAMPLES = 2_560

export class JitterBuffer {
  readonly #ring = new Float32Array(CAPACITY_SAMPLES)
  #read = 0
  #stock = 0
  #playing = false

  push(samples: Float32Array): void {
    for (const sample of samples) {
      this.#ring[(this.#read + this.#stock) % CAPACITY_SAMPLES] = sample
      if (this.#stock < CAPACITY_SAMPLES) this.#stock++
      else this.#read = (this.#read + 1) % CAPACITY_SAMPLES
    }
    // Full means the reader fell behind: go back to the usual delay rather than stay late for good.
    if (this.#stock === CAPACITY_SAMPLES) this.#drop(CAPACITY_SAMPLES - START_SAMPLES)
    if (this.#stock >= START_SAMPLES) this.#playing = true
  }

  /** Fills `out`; silence where nothing is in stock. */
  pull(out: Float32Array): void {
    for (let i = 0; i < out.length; i++) {
      if (!this.#playing || this.#stock === 0) {
        this.#playing = false
        out[i] = 0
        continue
      }
      out[i] = this.#ring[this.#read] ?? 0
      this.#drop(1)
    }
  }

  #drop(count: number): void {
    this.#read = (this.#read + count) % CAPACITY_SAMPLES
    this.#stock -= count
  }
}
