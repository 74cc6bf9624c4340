/** Between 8 kHz and its multiples, for recordings only: linear phase, without delay. */

const BASE_RATE_HZ = 8_000
const CUTOFF_HZ = 3_800
/** Half the filter's length, in samples of 8 kHz. */
const REACH = 24

/** @param rateHz 8,000 or a multiple. @returns the same sound at 8 kHz. @throws RangeError on other rates */
export function toBaseRate(samples: Int16Array, rateHz: number): Int16Array {
  const factor = factorOf(rateHz)
  if (factor === 1) return samples
  const kernel = lowPass(factor)
  const middle = REACH * factor
  const result = new Int16Array(Math.ceil(samples.length / factor))
  for (let i = 0; i < result.length; i++) {
    let sum = 0
    for (let tap = 0; tap < kernel.length; tap++) {
      sum += (kernel[tap] as number) * (samples[i * factor + tap - middle] ?? 0)
    }
    result[i] = clip(sum)
  }
  return result
}

/** @param length samples wanted at the higher rate. @throws RangeError on rates that are no multiple of 8,000 */
export function fromBaseRate(samples: Int16Array, rateHz: number, length: number): Int16Array {
  const factor = factorOf(rateHz)
  const kernel = lowPass(factor)
  const middle = REACH * factor
  const result = new Int16Array(length)
  for (let i = 0; i < length; i++) {
    if (factor === 1) {
      result[i] = samples[i] ?? 0
      continue
    }
    let sum = 0
    // Only every factor-th sample of the stretched signal is not zero.
    const first = Math.ceil((i - middle) / factor)
    const last = Math.floor((i + middle) / factor)
    for (let at = first; at <= last; at++) sum += (kernel[middle + i - at * factor] ?? 0) * (samples[at] ?? 0)
    result[i] = clip(sum * factor)
  }
  return result
}

function factorOf(rateHz: number): number {
  const factor = rateHz / BASE_RATE_HZ
  if (!Number.isInteger(factor) || factor < 1) throw new RangeError('the rate must be a multiple of 8000 Hz')
  return factor
}

/** A sinc under a Blackman window; its taps add up to 1. */
function lowPass(factor: number): Float64Array {
  const middle = REACH * factor
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
