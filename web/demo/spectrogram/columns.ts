/** Samples as they arrive → columns of the picture: how loud each frequency is, ten milliseconds apart. */
import { Fft } from './fft.ts'

export const RATE_HZ = 8_000
export const WINDOW_SAMPLES = 256
export const HOP_SAMPLES = 80
export const COLUMNS_PER_SECOND = RATE_HZ / HOP_SAMPLES
/** The window is padded to twice its length: the same resolution, drawn with finer steps (15.6 Hz). */
const FFT_SIZE = 512
export const BINS = FFT_SIZE / 2
export const BIN_HZ = RATE_HZ / FFT_SIZE

/** Silence of a telephone line and below; what is louder than the top is drawn like the top. */
const FLOOR_DB = -68
const TOP_DB = -14

/** Keeps the last window of one direction. Memory does not grow with the length of the call. */
export class ColumnMaker {
  readonly #fft = new Fft(FFT_SIZE)
  readonly #history = new Float64Array(WINDOW_SAMPLES)
  readonly #windowed = new Float64Array(WINDOW_SAMPLES)
  readonly #power = new Float64Array(BINS)
  #untilColumn = HOP_SAMPLES

  /**
   * @param samples 16-bit linear
   * @param onColumn gets one loudness per bin, 0 (silence) to 1 (loud); the array is reused by the next column
   */
  push(samples: Int16Array, onColumn: (loudness: Float64Array) => void): void {
    let from = 0
    while (from < samples.length) {
      const count = Math.min(this.#untilColumn, samples.length - from)
      this.#history.copyWithin(0, count)
      for (let i = 0; i < count; i++) {
        this.#history[WINDOW_SAMPLES - count + i] = (samples[from + i] ?? 0) / 32_768
      }
      from += count
      this.#untilColumn -= count
      if (this.#untilColumn > 0) continue
      this.#untilColumn = HOP_SAMPLES
      onColumn(this.#column())
    }
  }

  #column(): Float64Array {
    for (let i = 0; i < WINDOW_SAMPLES; i++) this.#windowed[i] = (this.#history[i] ?? 0) * (HANN[i] ?? 0)
    this.#fft.powers(this.#windowed, this.#power)
    for (let k = 0; k < BINS; k++) this.#power[k] = loudness(this.#power[k] ?? 0)
    return this.#power
  }
}

const HANN = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW_SAMPLES),
)
/** A full-scale sine has this power in its bin: half the amplitude times the sum of the window. */
const FULL_SCALE = (WINDOW_SAMPLES / 4) ** 2

function loudness(power: number): number {
  const db = 10 * Math.log10(power / FULL_SCALE + 1e-12)
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (TOP_DB - FLOOR_DB)))
}
