import { COLUMNS_HZ, ROWS_HZ } from './tone-pairs.ts'

/** How well the best pair explains a window. One object per ToneFit, overwritten by each fit. */
export interface Fit {
  /** 0–15: row · 4 + column */
  pair: number
  /** Energy inside the pair's span by all energy: 0 to 1. */
  purity: number
  /** Level of the high tone above the low tone. */
  twistDb: number
  /** RMS below full scale, mean removed. */
  levelDb: number
}

const RATE_HZ = 8_000
const FULL_SCALE = 32_768
const QUIET: Readonly<Fit> = { pair: -1, purity: 0, twistDb: 0, levelDb: -200 }

/**
 * Least-squares fit of two tones of free phase and amplitude to a window, for each of the 16 pairs (dtmf reference, 5).
 *
 * Time runs from the middle of the window, so cosines are even and sines odd: the window is folded once into its even and
 * odd half, every even basis vector is orthogonal to every odd one, and the fit of a pair falls into two 2×2 systems.
 * Nothing is allocated per window.
 */
export class ToneFit {
  readonly #window: number
  readonly #levelDbMin: number
  readonly #even: Float64Array
  readonly #odd: Float64Array
  readonly #cosines: Float64Array
  readonly #sines: Float64Array
  /** Inner products of the present window with the tones. */
  readonly #alongEven: Float64Array
  readonly #alongOdd: Float64Array
  /** Per pair of tones: the inverse Gram matrices (even 0–2, odd 3–5), each as rr, rc, cc. */
  readonly #inverse: Float64Array
  /** Indices of a place's tones. A place is ((row shift · shifts) + column shift) · 16 + pair: 0–15 are unshifted. */
  readonly #rows: Uint8Array
  readonly #columns: Uint8Array
  readonly #variants: number
  readonly #shiftedFrom: number
  readonly #fit: Fit = { ...QUIET }

  /**
   * @param windowSamples even
   * @param shifts relative frequency offsets tried for rows and columns alike, 0 first: `[0, -0.025, 0.025]`
   * @param shiftedFrom purity of the unshifted fit from which the shifted ones are tried
   * @param levelDbMin windows below it are not fitted
   */
  constructor(windowSamples: number, shifts: readonly number[], shiftedFrom: number, levelDbMin: number) {
    const half = windowSamples / 2
    this.#window = windowSamples
    this.#levelDbMin = levelDbMin
    this.#shiftedFrom = shiftedFrom
    this.#variants = shifts.length
    this.#even = new Float64Array(half)
    this.#odd = new Float64Array(half)
    // Tones in the order: all rows and columns of the first shift, then of the second …
    const tonesHz = shifts.flatMap((shift) => [...ROWS_HZ, ...COLUMNS_HZ].map((hz) => hz * (1 + shift)))
    this.#cosines = new Float64Array(tonesHz.length * half)
    this.#sines = new Float64Array(tonesHz.length * half)
    this.#alongEven = new Float64Array(tonesHz.length)
    this.#alongOdd = new Float64Array(tonesHz.length)
    for (const [tone, hz] of tonesHz.entries()) this.#prepareTone(tone, hz)
    const places = shifts.length ** 2 * 16
    this.#rows = Uint8Array.from(
      { length: places },
      (_, i) => Math.floor((i >> 4) / shifts.length) * 8 + ((i >> 2) & 3),
    )
    this.#columns = Uint8Array.from({ length: places }, (_, i) => ((i >> 4) % shifts.length) * 8 + 4 + (i & 3))
    this.#inverse = new Float64Array(places * 6)
    for (let place = 0; place < places; place++) this.#prepareInverse(place)
  }

  /** @param samples the window, 16-bit scale. @returns an object that the next call overwrites */
  fit(samples: Float64Array): Readonly<Fit> {
    const energy = this.#fold(samples)
    const fit = this.#fit
    fit.pair = -1
    fit.purity = 0
    fit.levelDb = 10 * Math.log10(energy / this.#window / FULL_SCALE ** 2 + 1e-20)
    if (fit.levelDb < this.#levelDbMin) return fit
    this.#project(0, 8)
    let best = this.#best(0, 16, -1)
    if (this.#variants > 1 && this.#inside(best) > this.#shiftedFrom * energy) {
      this.#project(8, this.#alongEven.length)
      best = this.#best(16, this.#inverse.length / 6, best)
    }
    fit.pair = best & 15
    fit.purity = this.#inside(best) / energy
    fit.twistDb = this.#twistDb(best)
    return fit
  }

  #prepareTone(tone: number, hz: number): void {
    const half = this.#window / 2
    const radiansPerSample = (2 * Math.PI * hz) / RATE_HZ
    let mean = 0
    for (let i = 0; i < half; i++) mean += Math.cos(radiansPerSample * (i + 0.5)) / half
    for (let i = 0; i < half; i++) {
      // Taking the mean out of the basis takes it out of the window too.
      this.#cosines[tone * half + i] = Math.cos(radiansPerSample * (i + 0.5)) - mean
      this.#sines[tone * half + i] = Math.sin(radiansPerSample * (i + 0.5))
    }
  }

  #prepareInverse(place: number): void {
    const half = this.#window / 2
    const row = this.#rows[place] ?? 0
    const column = this.#columns[place] ?? 0
    for (const [offset, basis] of [this.#cosines, this.#sines].entries()) {
      let rr = 0
      let rc = 0
      let cc = 0
      for (let i = 0; i < half; i++) {
        const r = basis[row * half + i] ?? 0
        const c = basis[column * half + i] ?? 0
        rr += 2 * r * r
        rc += 2 * r * c
        cc += 2 * c * c
      }
      const determinant = rr * cc - rc * rc
      this.#inverse.set([cc / determinant, -rc / determinant, rr / determinant], place * 6 + offset * 3)
    }
  }

  /** Fills the even and odd halves. @returns the window's energy without its mean */
  #fold(samples: Float64Array): number {
    const half = this.#window / 2
    let sum = 0
    let energy = 0
    for (let i = 0; i < half; i++) {
      const after = samples[half + i] ?? 0
      const before = samples[half - 1 - i] ?? 0
      this.#even[i] = after + before
      this.#odd[i] = after - before
      sum += after + before
      energy += after * after + before * before
    }
    return energy - (sum * sum) / this.#window
  }

  #project(from: number, to: number): void {
    const half = this.#window / 2
    const even = this.#even
    const odd = this.#odd
    const cosines = this.#cosines
    const sines = this.#sines
    for (let tone = from; tone < to; tone++) {
      const base = tone * half
      let alongEven = 0
      let alongOdd = 0
      for (let i = 0; i < half; i++) {
        alongEven += (even[i] as number) * (cosines[base + i] as number)
        alongOdd += (odd[i] as number) * (sines[base + i] as number)
      }
      this.#alongEven[tone] = alongEven
      this.#alongOdd[tone] = alongOdd
    }
  }

  #inside(place: number): number {
    return insideOf(place, this.#rows, this.#columns, this.#alongEven, this.#alongOdd, this.#inverse)
  }

  /** The place from `from` to `to`, or `start`, whose two tones hold most of the window's energy. */
  #best(from: number, to: number, start: number): number {
    let best = start
    let bestInside = start === -1 ? -1 : this.#inside(start)
    const even = this.#alongEven
    const odd = this.#alongOdd
    const rows = this.#rows
    const columns = this.#columns
    const inverse = this.#inverse
    for (let place = from; place < to; place++) {
      const inside = insideOf(place, rows, columns, even, odd, inverse)
      if (inside > bestInside) {
        best = place
        bestInside = inside
      }
    }
    return best
  }

  #twistDb(place: number): number {
    const inverse = this.#inverse.subarray(place * 6, place * 6 + 6)
    const [e0 = 0, e1 = 0, e2 = 0, o0 = 0, o1 = 0, o2 = 0] = inverse
    const row = this.#rows[place] ?? 0
    const column = this.#columns[place] ?? 0
    const re = this.#alongEven[row] ?? 0
    const ce = this.#alongEven[column] ?? 0
    const ro = this.#alongOdd[row] ?? 0
    const co = this.#alongOdd[column] ?? 0
    const rowPower = (e0 * re + e1 * ce) ** 2 + (o0 * ro + o1 * co) ** 2
    const columnPower = (e1 * re + e2 * ce) ** 2 + (o1 * ro + o2 * co) ** 2
    return 10 * Math.log10((columnPower + 1e-9) / (rowPower + 1e-9))
  }
}

/** Energy of the window inside the span of the two tones of `place`: two quadratic forms. */
function insideOf(
  place: number,
  rows: Uint8Array,
  columns: Uint8Array,
  even: Float64Array,
  odd: Float64Array,
  inverse: Float64Array,
): number {
  const row = rows[place] as number
  const column = columns[place] as number
  const re = even[row] as number
  const ce = even[column] as number
  const ro = odd[row] as number
  const co = odd[column] as number
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
