import type { ToneBank } from './tone-bank.ts'
import { ToneWindow, WindowTables } from './tone-window.ts'

/** How well the best pair explains a window. One object per ToneFit, overwritten by each fit. */
export interface Fit {
  /** 0–15: row · 4 + column; -1 for a window that is too quiet */
  pair: number
  /** Energy inside the pair's span by all energy: 0 to 1. */
  purity: number
  /** Level of the high tone above the low tone. */
  twistDb: number
}

const FULL_SCALE = 32_768
const TONES = 8
/** So clear that a shift could not say more. */
const CLEAR_PURITY = 0.92

/** What fits of one length need; made once, shared by all calls. */
export class FitTables {
  readonly window: WindowTables
  readonly shifts: number
  /** Indices of a place's tones. A place is ((row shift · shifts) + column shift) · 16 + pair: 0–15 are unshifted. */
  readonly rows: Uint8Array
  readonly columns: Uint8Array
  /** Per place: the inverse Gram matrices (even 0–2, odd 3–5), each as rr, rc, cc. */
  readonly inverse: Float64Array
  /** Per variant of a tone: what turns a squared inner product into energy (even, odd). */
  readonly alone: Float64Array
  readonly energyMin: number

  /**
   * @param blocks even; the window's length in blocks of the bank
   * @param shifts relative frequency offsets tried for rows and columns alike, 0 first: `[0, -0.02, 0.02]`
   * @param levelDbMin windows below it (RMS under full scale, mean removed) are not fitted
   */
  constructor(blocks: number, shifts: readonly number[], levelDbMin: number) {
    this.window = new WindowTables(blocks, shifts)
    this.shifts = shifts.length
    const places = shifts.length ** 2 * 16
    this.rows = Uint8Array.from(
      { length: places },
      (_, i) => Math.floor((i >> 4) / shifts.length) * TONES + ((i >> 2) & 3),
    )
    this.columns = Uint8Array.from({ length: places }, (_, i) => ((i >> 4) % shifts.length) * TONES + 4 + (i & 3))
    this.inverse = new Float64Array(places * 6)
    const { tones } = this.window
    this.alone = Float64Array.from(tones.flatMap(({ even, odd }) => [1 / dot(even, even), 1 / dot(odd, odd)]))
    for (let place = 0; place < places; place++) {
      const row = tones[this.rows[place] ?? 0]
      const column = tones[this.columns[place] ?? 0]
      if (row === undefined || column === undefined) continue
      this.inverse.set(inverseGram(row.even, column.even), place * 6)
      this.inverse.set(inverseGram(row.odd, column.odd), place * 6 + 3)
    }
    this.energyMin = 10 ** (levelDbMin / 10) * FULL_SCALE ** 2 * this.window.samples
  }
}

/**
 * Least-squares fit of two tones of free phase and amplitude to a window, for each of the 16 pairs (dtmf reference, 5).
 *
 * Every even basis vector is orthogonal to every odd one, so the fit of a pair falls into two 2×2 systems. Of the shifted
 * tones, the best of each are taken for the 16 pairs, and then all shifts of the best pair. Nothing is allocated.
 */
export class ToneFit {
  readonly #tables: FitTables
  readonly #window: ToneWindow
  readonly #shiftedFrom: number
  readonly #bestShift = new Uint8Array(TONES)
  #bestInside = 0
  readonly #fit: Fit = { pair: -1, purity: 0, twistDb: 0 }

  /** @param shiftedFrom purity of the unshifted fit from which the shifted ones are tried */
  constructor(tables: FitTables, shiftedFrom: number) {
    this.#tables = tables
    this.#window = new ToneWindow(tables.window)
    this.#shiftedFrom = shiftedFrom
  }

  /**
   * Fits the window that ends `ago` blocks before the bank's newest.
   * @param purityMin below it the twist is not looked at
   * @returns an object that the next call overwrites
   */
  fit(bank: ToneBank, ago: number, purityMin: number): Readonly<Fit> {
    const fit = this.#fit
    fit.pair = -1
    fit.purity = 0
    const energy = this.#window.load(bank, ago)
    if (energy < this.#tables.energyMin) return fit
    this.#window.project(bank, ago)
    let best = this.#bestUnshifted()
    const share = this.#bestInside / energy
    const mayShift = this.#tables.shifts > 1 && share > this.#shiftedFrom && share < CLEAR_PURITY
    if (mayShift) best = this.#bestShifted(bank, ago, best)
    fit.pair = best & 15
    fit.purity = this.#bestInside / energy
    if (fit.purity > purityMin) fit.twistDb = this.#twistDb(best)
    return fit
  }

  /** The best of the 16 unshifted pairs, its energy in `bestInside`: as `inside` of each, but every tone is squared once. @returns its place */
  #bestUnshifted(): number {
    const { alongEven, alongOdd } = this.#window
    const { inverse } = this.#tables
    let best = 0
    let bestInside = -1
    for (let row = 0; row < 4; row++) {
      const re = alongEven[row] as number
      const ro = alongOdd[row] as number
      const re2 = 2 * re
      const ro2 = 2 * ro
      const reSquared = re * re
      const roSquared = ro * ro
      for (let column = 0; column < 4; column++) {
        const ce = alongEven[4 + column] as number
        const co = alongOdd[4 + column] as number
        const at = (row * 4 + column) * 6
        const inside =
          reSquared * (inverse[at] as number) +
          re2 * ce * (inverse[at + 1] as number) +
          ce * ce * (inverse[at + 2] as number) +
          roSquared * (inverse[at + 3] as number) +
          ro2 * co * (inverse[at + 4] as number) +
          co * co * (inverse[at + 5] as number)
        if (inside > bestInside) {
          best = row * 4 + column
          bestInside = inside
        }
      }
    }
    this.#bestInside = bestInside
    return best
  }

  /** The best of the 16 pairs at the shifts that are best for each tone alone. @returns its place */
  #bestPair(): number {
    const { shifts } = this.#tables
    let best = 0
    let bestInside = -1
    for (let pair = 0; pair < 16; pair++) {
      const rowShift = this.#bestShift[pair >> 2] as number
      const columnShift = this.#bestShift[4 + (pair & 3)] as number
      const place = (rowShift * shifts + columnShift) * 16 + pair
      const inside = this.#inside(place)
      if (inside > bestInside) {
        best = place
        bestInside = inside
      }
    }
    return best
  }

  /** The best place of all shifts, or `unshifted`. */
  #bestShifted(bank: ToneBank, ago: number, unshifted: number): number {
    this.#window.projectShifted(bank, ago)
    for (let tone = 0; tone < TONES; tone++) this.#bestShift[tone] = this.#bestShiftOf(tone)
    const byTones = this.#bestPair()
    const start = this.#inside(byTones) > this.#bestInside ? byTones : unshifted
    let best = start
    let bestInside = this.#inside(start)
    for (let place = start & 15; place < this.#tables.rows.length; place += 16) {
      const inside = this.#inside(place)
      if (inside > bestInside) {
        best = place
        bestInside = inside
      }
    }
    this.#bestInside = bestInside
    return best
  }

  #bestShiftOf(tone: number): number {
    const { alongEven, alongOdd } = this.#window
    const { shifts, alone } = this.#tables
    let best = 0
    let bestPower = -1
    for (let shift = 0; shift < shifts; shift++) {
      const variant = shift * TONES + tone
      const even = alongEven[variant] as number
      const odd = alongOdd[variant] as number
      const power = even * even * (alone[variant * 2] as number) + odd * odd * (alone[variant * 2 + 1] as number)
      if (power > bestPower) {
        best = shift
        bestPower = power
      }
    }
    return best
  }

  /** Energy of the window inside the span of the two tones of `place`: two quadratic forms. */
  #inside(place: number): number {
    const { alongEven, alongOdd } = this.#window
    const { inverse, rows, columns } = this.#tables
    const row = rows[place] as number
    const column = columns[place] as number
    const re = alongEven[row] as number
    const ce = alongEven[column] as number
    const ro = alongOdd[row] as number
    const co = alongOdd[column] as number
    const at = place * 6
    return (
      re * re * (inverse[at] as number) +
      2 * re * ce * (inverse[at + 1] as number) +
      ce * ce * (inverse[at + 2] as number) +
      ro * ro * (inverse[at + 3] as number) +
      2 * ro * co * (inverse[at + 4] as number) +
      co * co * (inverse[at + 5] as number)
    )
  }

  #twistDb(place: number): number {
    const { alongEven, alongOdd } = this.#window
    const { inverse, rows, columns } = this.#tables
    const at = place * 6
    const row = rows[place] as number
    const column = columns[place] as number
    const re = alongEven[row] as number
    const ce = alongEven[column] as number
    const ro = alongOdd[row] as number
    const co = alongOdd[column] as number
    const rowEven = (inverse[at] as number) * re + (inverse[at + 1] as number) * ce
    const rowOdd = (inverse[at + 3] as number) * ro + (inverse[at + 4] as number) * co
    const columnEven = (inverse[at + 1] as number) * re + (inverse[at + 2] as number) * ce
    const columnOdd = (inverse[at + 4] as number) * ro + (inverse[at + 5] as number) * co
    const rowPower = rowEven * rowEven + rowOdd * rowOdd
    const columnPower = columnEven * columnEven + columnOdd * columnOdd
    return 10 * Math.log10((columnPower + 1e-9) / (rowPower + 1e-9))
  }
}

function inverseGram(row: Float64Array, column: Float64Array): number[] {
  const rr = dot(row, row)
  const rc = dot(row, column)
  const cc = dot(column, column)
  const determinant = rr * cc - rc * rc
  return [cc / determinant, -rc / determinant, rr / determinant]
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (const [i, value] of a.entries()) sum += value * (b[i] ?? 0)
  return sum
}
