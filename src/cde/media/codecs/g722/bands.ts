/** ITU-T G.722 clause 6.2: the two sub-bands' adaptive quantisers, shared by encoder and decoder. */
import { clip16, Predictor } from './predictor.ts'
import {
  HIGH_DECISION,
  HIGH_SCALE_MAX,
  highLevels,
  highScaleSteps,
  LOW_SCALE_MAX,
  lowDecisions,
  lowLevels4,
  lowLevels6,
  lowScaleSteps,
  scaleMantissas,
} from './tables.ts'

const LOW_SCALE_START = 32
const HIGH_SCALE_START = 8

/** 0 to 4 kHz in six bits per sample, of which four drive the adaptation. */
export class LowBand {
  readonly #predictor = new Predictor()
  #scaleLog = 0
  #scale = LOW_SCALE_START

  /** @param sample of the lower band. @returns its code, 4–63 */
  encode(sample: number): number {
    const difference = clip16(sample - this.#predictor.estimate)
    const magnitude = difference < 0 ? ~difference : difference
    let level = 0
    while (level < lowDecisions.length && magnitude >= ((lowDecisions[level] as number) * this.#scale) >> 12) level++
    const code = lowCode(level, difference < 0)
    this.#adapt(code)
    return code
  }

  /** @param code 0–63. @returns the sample, 15 bits (block 6L) */
  decode(code: number): number {
    const sample = this.#predictor.estimate + ((this.#scale * (lowLevels6[code] as number)) >> 15)
    this.#adapt(code)
    return clip15(sample)
  }

  reset(): void {
    this.#predictor.reset()
    this.#scaleLog = 0
    this.#scale = LOW_SCALE_START
  }

  #adapt(code: number): void {
    const upper = code >> 2
    const difference = (this.#scale * (lowLevels4[upper] as number)) >> 15
    this.#scaleLog = nextScaleLog(this.#scaleLog, lowScaleSteps[upper] as number, LOW_SCALE_MAX)
    this.#scale = scaleOf(this.#scaleLog, 8)
    this.#predictor.update(difference)
  }
}

/** 4 to 8 kHz in two bits per sample. */
export class HighBand {
  readonly #predictor = new Predictor()
  #scaleLog = 0
  #scale = HIGH_SCALE_START

  /** @returns its code, 0–3 */
  encode(sample: number): number {
    const difference = clip16(sample - this.#predictor.estimate)
    const isNegative = difference < 0
    const isLarge = (isNegative ? ~difference : difference) >= (HIGH_DECISION * this.#scale) >> 12
    const code = (isNegative ? 0 : 2) + (isLarge ? 0 : 1)
    this.#adapt(code)
    return code
  }

  decode(code: number): number {
    return clip15(this.#adapt(code))
  }

  reset(): void {
    this.#predictor.reset()
    this.#scaleLog = 0
    this.#scale = HIGH_SCALE_START
  }

  /** @returns the reconstructed sample */
  #adapt(code: number): number {
    const difference = (this.#scale * (highLevels[code] as number)) >> 15
    const sample = this.#predictor.estimate + difference
    this.#scaleLog = nextScaleLog(this.#scaleLog, highScaleSteps[code] as number, HIGH_SCALE_MAX)
    this.#scale = scaleOf(this.#scaleLog, 10)
    this.#predictor.update(difference)
    return sample
  }
}

/** Table 13/G.722: larger magnitudes have smaller codes; the two smallest negative ones stand at the end. */
function lowCode(level: number, isNegative: boolean): number {
  if (!isNegative) return 61 - level
  return level < 2 ? 63 - level : 33 - level
}

/** LOGSCL, LOGSCH: the logarithm leaks by 1/128 per sample. */
function nextScaleLog(scaleLog: number, step: number, limit: number): number {
  const next = ((scaleLog * 127) >> 7) + step
  return next < 0 ? 0 : next > limit ? limit : next
}

/** SCALEL, SCALEH: back from the logarithm. @param octaves of the band's largest factor */
function scaleOf(scaleLog: number, octaves: number): number {
  const mantissa = scaleMantissas[(scaleLog >> 6) & 31] as number
  const shift = octaves - (scaleLog >> 11)
  return (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2
}

/** LIMIT: the receiver's samples have 15 bits. */
function clip15(value: number): number {
  return value > 16_383 ? 16_383 : value < -16_384 ? -16_384 : value
}
