/** ITU-T G.722 clauses 5.2.1 and 5.3.4: the quadrature mirror filters that split 16 kHz into two bands of 8 kHz and join them. */
import { clip16 } from './predictor.ts'
import { qmfTaps } from './tables.ts'

const PAIRS = 12

/**
 * The delay line of both filters: 24 values, taken and read in pairs. Kept twice over, so that the 12 newest pairs always
 * stand in one piece.
 */
class PairLine {
  readonly #first = new Int32Array(2 * PAIRS)
  readonly #second = new Int32Array(2 * PAIRS)
  #at = 0
  /** Sums over the pairs, oldest first: the first values by rising taps, the second ones by falling taps. */
  firstSum = 0
  secondSum = 0

  push(first: number, second: number): void {
    this.#first[this.#at] = first
    this.#first[this.#at + PAIRS] = first
    this.#second[this.#at] = second
    this.#second[this.#at + PAIRS] = second
    this.#at = this.#at + 1 === PAIRS ? 0 : this.#at + 1
    const firsts = this.#first
    const seconds = this.#second
    const at = this.#at
    let firstSum = 0
    let secondSum = 0
    for (let i = 0; i < PAIRS; i++) {
      firstSum = (firstSum + Math.imul(firsts[at + i] as number, qmfTaps[i] as number)) | 0
      secondSum = (secondSum + Math.imul(seconds[at + i] as number, qmfTaps[PAIRS - 1 - i] as number)) | 0
    }
    this.firstSum = firstSum
    this.secondSum = secondSum
  }

  reset(): void {
    this.#first.fill(0)
    this.#second.fill(0)
    this.#at = 0
  }
}

/** Two samples of 16 bits in, one sample of 15 bits of each band out. */
export class BandSplitter {
  readonly #line = new PairLine()
  low = 0
  high = 0

  push(first: number, second: number): void {
    this.#line.push(first, second)
    this.low = (this.#line.secondSum + this.#line.firstSum) >> 14
    this.high = (this.#line.secondSum - this.#line.firstSum) >> 14
  }

  reset(): void {
    this.#line.reset()
  }
}

/** One sample of each band in, two samples of 16 bits out. */
export class BandJoiner {
  readonly #line = new PairLine()
  first = 0
  second = 0

  push(low: number, high: number): void {
    this.#line.push(low + high, low - high)
    this.first = clip16(this.#line.secondSum >> 11)
    this.second = clip16(this.#line.firstSum >> 11)
  }

  reset(): void {
    this.#line.reset()
  }
}
