import { ToneFit } from './tone-fit.ts'

/** 10 ms: what one decision looks at. */
export const WINDOW_SAMPLES = 80
/** 5 ms: from one decision to the next. */
export const HOP_SAMPLES = 40
/** Masked before the first window of a detection: the onset, and a legal interruption before it. */
export const PRE_SAMPLES = 240
/** Masked after the last window: decay, echo and the next interruption. */
export const POST_SAMPLES = 320

// Senders and lines that are off by more than the standards allow are still read by a decoder that knows where to look.
const SHIFTS = [0, -0.025, 0.025]
const SHIFTED_FROM_PURITY = 0.25
const PURITY_MIN = 0.6
const MEAN_PURITY_MIN = 0.75
const TWIST_DB_MAX = 14
const LEVEL_DB_MIN = -58

/**
 * Could this audio carry a key? Permissive far outside the standards: a miss leaks card data, a false hit costs 85 ms of
 * speech (dtmf reference, 4 and 5). It shares nothing with the reporter.
 */
export class Masker {
  readonly #fit = new ToneFit(WINDOW_SAMPLES, SHIFTS, SHIFTED_FROM_PURITY, LEVEL_DB_MIN)
  #pair = -1
  #lastPurity = 0
  #runWindows = 0
  #confirmed = false

  /**
   * Judges the next window, HOP_SAMPLES after the one before.
   * @param window WINDOW_SAMPLES of 16-bit scale
   * @returns how many windows up to and including this one are known to carry a key: 0, or from 2 upwards
   */
  judge(window: Float64Array): number {
    const { pair, purity, twistDb } = this.#fit.fit(window)
    if (purity <= PURITY_MIN || Math.abs(twistDb) >= TWIST_DB_MAX) {
      this.#runWindows = 0
      this.#confirmed = false
      return 0
    }
    if (this.#runWindows === 0 || pair !== this.#pair) {
      this.#runWindows = 0
      this.#confirmed = false
    }
    this.#pair = pair
    this.#runWindows++
    const meanPurity = (purity + this.#lastPurity) / 2
    this.#lastPurity = purity
    if (this.#runWindows >= 2 && meanPurity > MEAN_PURITY_MIN) this.#confirmed = true
    return this.#confirmed ? this.#runWindows : 0
  }
}
