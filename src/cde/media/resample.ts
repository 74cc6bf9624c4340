/** Between 8 kHz and its multiples by linear-phase filters: whole recordings without delay, streams with a stated one. */

const BASE_RATE_HZ = 8_000
const CUTOFF_HZ = 3_800
/** Half the filter's length for recordings and speech, in samples of 8 kHz: flat to 3.3 kHz, 70 dB down from 4.3 kHz. */
export const SPEECH_REACH = 24
/** The same for decisions, where 1.5 ms are worth more than the last 600 Hz: flat to 2.9 kHz, 70 dB down from 4.8 kHz. */
export const DECISION_REACH = 12

/** @param rateHz 8,000 or a multiple. @returns the same sound at 8 kHz. @throws RangeError on other rates */
export function toBaseRate(samples: Int16Array, rateHz: number): Int16Array {
  const factor = factorOf(rateHz)
  if (factor === 1) return samples
  const decimator = new Decimator(factor, SPEECH_REACH)
  const length = Math.ceil(samples.length / factor)
  // The filter's delay is made up for by as many samples of silence.
  const padded = new Int16Array((length + SPEECH_REACH) * factor)
  padded.set(samples)
  const result = new Int16Array(length + SPEECH_REACH)
  decimator.push(padded, result)
  return result.subarray(SPEECH_REACH)
}

/** @param length samples wanted at the higher rate. @throws RangeError on rates that are no multiple of 8,000 */
export function fromBaseRate(samples: Int16Array, rateHz: number, length: number): Int16Array {
  const factor = factorOf(rateHz)
  if (factor === 1) return Int16Array.from({ length }, (_, i) => samples[i] ?? 0)
  const padded = new Int16Array(Math.ceil(length / factor) + SPEECH_REACH)
  padded.set(samples.subarray(0, padded.length))
  const result = new Int16Array(padded.length * factor)
  new Interpolator(factor, SPEECH_REACH).push(padded, result)
  return result.slice(SPEECH_REACH * factor, SPEECH_REACH * factor + length)
}

/** From a multiple of 8 kHz to 8 kHz, packet by packet. Its output is `reach` samples of 8 kHz behind its input. */
export class Decimator {
  readonly #factor: number
  readonly #kernel: Float64Array
  readonly #history: Int16Array

  /** @param factor 2–6. @param reach half the filter's length, in samples of 8 kHz */
  constructor(factor: number, reach: number) {
    this.#factor = factor
    this.#kernel = lowPass(factor, reach)
    this.#history = new Int16Array(this.#kernel.length - 1)
  }

  /** @param samples a multiple of `factor` of them. @param result takes one for each `factor`. @returns how many */
  push(samples: Int16Array, result: Int16Array): number {
    const count = Math.min(Math.floor(samples.length / this.#factor), result.length)
    const kernel = this.#kernel
    const history = this.#history
    for (let i = 0; i < count; i++) {
      // The window's last sample is the newest of this step's first; the filter is symmetric, so its order does not matter.
      const newest = i * this.#factor
      const recent = Math.min(newest + 1, kernel.length)
      let sum = 0
      for (let tap = 0; tap < recent; tap++) sum += (kernel[tap] as number) * (samples[newest - tap] as number)
      for (let tap = recent; tap < kernel.length; tap++) {
        sum += (kernel[tap] as number) * (history[history.length + newest - tap] as number)
      }
      result[i] = clip(sum)
    }
    remember(history, samples)
    return count
  }

  reset(): void {
    this.#history.fill(0)
  }
}

/** From 8 kHz to a multiple, packet by packet. Its output is `reach` samples of 8 kHz behind its input. */
export class Interpolator {
  readonly #factor: number
  /** One filter for each of the output's phases. */
  readonly #phases: readonly Float64Array[]
  readonly #history: Int16Array

  /** @param factor 2–6. @param reach half the filter's length, in samples of 8 kHz */
  constructor(factor: number, reach: number) {
    this.#factor = factor
    const kernel = lowPass(factor, reach)
    const taps = 2 * reach + 1
    this.#phases = Array.from({ length: factor }, (_, phase) =>
      Float64Array.from({ length: taps }, (_, tap) => (kernel[tap * factor + phase] ?? 0) * factor),
    )
    this.#history = new Int16Array(taps - 1)
  }

  /** @param result room for `factor` times as many samples. @returns how many were written */
  push(samples: Int16Array, result: Int16Array): number {
    const history = this.#history
    for (let i = 0; i < samples.length; i++) {
      for (let phase = 0; phase < this.#factor; phase++) {
        const taps = this.#phases[phase] as Float64Array
        const recent = Math.min(i + 1, taps.length)
        let sum = 0
        for (let tap = 0; tap < recent; tap++) sum += (taps[tap] as number) * (samples[i - tap] as number)
        for (let tap = recent; tap < taps.length; tap++) {
          sum += (taps[tap] as number) * (history[history.length + i - tap] as number)
        }
        result[i * this.#factor + phase] = clip(sum)
      }
    }
    remember(history, samples)
    return samples.length * this.#factor
  }

  reset(): void {
    this.#history.fill(0)
  }
}

/** Keeps the newest samples, in order, at the end. */
function remember(history: Int16Array, samples: Int16Array): void {
  if (samples.length >= history.length) {
    history.set(samples.subarray(samples.length - history.length))
    return
  }
  history.copyWithin(0, samples.length)
  history.set(samples, history.length - samples.length)
}

function factorOf(rateHz: number): number {
  const factor = rateHz / BASE_RATE_HZ
  if (!Number.isInteger(factor) || factor < 1) throw new RangeError('the rate must be a multiple of 8000 Hz')
  return factor
}

/** A sinc under a Blackman window; its taps add up to 1. */
function lowPass(factor: number, reach: number): Float64Array {
  const middle = reach * factor
  const cutoff = CUTOFF_HZ / (BASE_RATE_HZ * factor)
  const kernel = Float64Array.from({ length: 2 * middle + 1 }, (_, tap) => {
    const x = tap - middle
    const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x)
    const turn = (2 * Math.PI * tap) / (2 * middle)
    return sinc * (0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn))
  })
  const sum = kernel.reduce((total, tap) => total + tap, 0)
  return kernel.map((tap) => tap / sum)
}

function clip(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)))
}
