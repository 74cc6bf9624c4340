import { TONES_HZ } from './tone-bank.ts'

const RATE_HZ = 8_000

/**
 * How far two tones are off their nominal frequencies, by how much their phases advance from window to window: far finer than
 * a window of 12.5 ms resolves.
 */
export class ToneTurns {
  readonly #hopSamples: number
  /** The previous window's correlations of row and column, real and imaginary parts. */
  readonly #before = new Float64Array(4)
  /** The sums of what they turned from one window to the next. */
  readonly #turns = new Float64Array(4)

  /** @param hopSamples from one window to the next */
  constructor(hopSamples: number) {
    this.#hopSamples = hopSamples
  }

  /** @param pair 0–15, row by row. @param re, im correlations of the window with the eight tones */
  begin(pair: number, re: Float64Array, im: Float64Array): void {
    this.#turns.fill(0)
    this.#keepPhases(pair, re, im)
  }

  /** The window that follows, of the same pair. */
  next(pair: number, re: Float64Array, im: Float64Array): void {
    this.#add(0, pair >> 2, re, im)
    this.#add(2, 4 + (pair & 3), re, im)
    this.#keepPhases(pair, re, im)
  }

  /** @returns the larger of both tones' errors, as a share of the nominal frequency; 0 after one window */
  errorOf(pair: number): number {
    return Math.max(this.#errorOf(0, pair >> 2), this.#errorOf(2, 4 + (pair & 3)))
  }

  #add(slot: number, tone: number, re: Float64Array, im: Float64Array): void {
    const [along, across] = [re[tone] ?? 0, im[tone] ?? 0]
    const [alongBefore, acrossBefore] = [this.#before[slot] ?? 0, this.#before[slot + 1] ?? 0]
    this.#turns[slot] = (this.#turns[slot] ?? 0) + along * alongBefore + across * acrossBefore
    this.#turns[slot + 1] = (this.#turns[slot + 1] ?? 0) + across * alongBefore - along * acrossBefore
  }

  #keepPhases(pair: number, re: Float64Array, im: Float64Array): void {
    this.#keep(0, pair >> 2, re, im)
    this.#keep(2, 4 + (pair & 3), re, im)
  }

  #keep(slot: number, tone: number, re: Float64Array, im: Float64Array): void {
    this.#before[slot] = re[tone] ?? 0
    this.#before[slot + 1] = im[tone] ?? 0
  }

  #errorOf(slot: number, tone: number): number {
    const [along, across] = [this.#turns[slot] ?? 0, this.#turns[slot + 1] ?? 0]
    if (along === 0 && across === 0) return 0
    const hz = TONES_HZ[tone] ?? 0
    const nominalTurn = (2 * Math.PI * hz * this.#hopSamples) / RATE_HZ
    const turn = Math.atan2(across, along) - nominalTurn
    const excess = Math.atan2(Math.sin(turn), Math.cos(turn))
    return Math.abs((excess * RATE_HZ) / (2 * Math.PI * this.#hopSamples)) / hz
  }
}
