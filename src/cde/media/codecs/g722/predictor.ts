/** ITU-T G.722 clause 6.2.1.4 to 6.2.1.6 (block 4): the adaptive predictor, the same for both bands, encoder and decoder. */

const POLE_2_MAX = 12_288
const POLES_MAX = 15_360

/** Two poles and six zeros, adapted by the signs of what was reconstructed. All values are 16 bits wide. */
export class Predictor {
  /** PREDIC: what the next sample is expected to be. */
  estimate = 0
  #zeroEstimate = 0
  // RLT, PLT: the last two reconstructed samples, and the same before the poles' share.
  #reconstructed1 = 0
  #reconstructed2 = 0
  #partial1 = 0
  #partial2 = 0
  #pole1 = 0
  #pole2 = 0
  readonly #zeros = new Int32Array(6)
  /** The last six quantised differences, newest first, doubled as FILTEZ wants them: the signs are the same. */
  readonly #doubled = new Int32Array(6)

  /** @param difference the quantised difference between a sample and `estimate` */
  update(difference: number): void {
    // RECONS, PARREC
    const reconstructed = clip16(this.estimate + difference)
    const partial = clip16(this.#zeroEstimate + difference)
    const pole2 = this.#adaptedPole2(partial)
    const pole1 = this.#adaptedPole1(partial, pole2)
    this.#zeroEstimate = this.#adaptedZeros(difference)
    this.#pole1 = pole1
    this.#pole2 = pole2
    this.#partial2 = this.#partial1
    this.#partial1 = partial
    this.#reconstructed2 = this.#reconstructed1
    this.#reconstructed1 = reconstructed
    // FILTEP: the poles' coefficients have 14 fractional bits, so the samples are doubled.
    const fromPole1 = Math.imul(pole1, clip16(2 * this.#reconstructed1)) >> 15
    const fromPole2 = Math.imul(pole2, clip16(2 * this.#reconstructed2)) >> 15
    this.estimate = clip16(clip16(fromPole1 + fromPole2) + this.#zeroEstimate)
  }

  reset(): void {
    this.estimate = 0
    this.#zeroEstimate = 0
    this.#reconstructed1 = 0
    this.#reconstructed2 = 0
    this.#partial1 = 0
    this.#partial2 = 0
    this.#pole1 = 0
    this.#pole2 = 0
    this.#zeros.fill(0)
    this.#doubled.fill(0)
  }

  /** UPPOL2 */
  #adaptedPole2(partial: number): number {
    const fourfold = clip16(4 * this.#pole1)
    const crossed = sameSign(partial, this.#partial1) ? clip16(-fourfold) : fourfold
    const step = sameSign(partial, this.#partial2) ? 128 : -128
    return clip(step + (crossed >> 7) + (Math.imul(this.#pole2, 32_512) >> 15), POLE_2_MAX)
  }

  /** UPPOL1, held inside the triangle of stability. */
  #adaptedPole1(partial: number, pole2: number): number {
    const step = sameSign(partial, this.#partial1) ? 192 : -192
    return clip(clip16(step + (Math.imul(this.#pole1, 32_640) >> 15)), POLES_MAX - pole2)
  }

  /** UPZERO, the delay of the differences, and FILTEZ in one pass. @returns the zeros' share of the next estimate */
  #adaptedZeros(difference: number): number {
    const zeros = this.#zeros
    const doubled = this.#doubled
    const step = difference === 0 ? 0 : 128
    let sum = 0
    let old = doubled[5] as number
    for (let i = 5; i > 0; i--) {
      const newer = doubled[i - 1] as number
      const zero = adaptedZero(zeros[i] as number, step, difference ^ old)
      zeros[i] = zero
      doubled[i] = newer
      sum = clip16(sum + (Math.imul(zero, newer) >> 15))
      old = newer
    }
    const newest = clip16(2 * difference)
    const zero = adaptedZero(zeros[0] as number, step, difference ^ old)
    zeros[0] = zero
    doubled[0] = newest
    return clip16(sum + (Math.imul(zero, newest) >> 15))
  }
}

/** It leaks by 1/256 and moves by a step, up where the signs agree (`signs` ≥ 0); so it stays within 16 bits by itself. */
function adaptedZero(zero: number, step: number, signs: number): number {
  const turn = signs >> 31
  return (step ^ turn) - turn + (Math.imul(zero, 32_640) >> 15)
}

/** Zero counts as positive. */
function sameSign(a: number, b: number): boolean {
  return (a ^ b) >= 0
}

export function clip16(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
}

function clip(value: number, limit: number): number {
  return value > limit ? limit : value < -limit ? -limit : value
}
