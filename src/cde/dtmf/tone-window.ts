import { BLOCK_SAMPLES, BLOCKS_MAX, type ToneBank, TONES_HZ } from './tone-bank.ts'

const RATE_HZ = 8_000
const TONES = TONES_HZ.length
/** Of a bank's ring of inner products. */
const LAST_INDEX = BLOCKS_MAX * TONES - 1

/** The inner products of a basis with itself and with others, and the basis. A tone at a shift: shift · 8 + tone. */
export interface SteppedTone {
  /** Symmetric about the window's middle, without its mean: so the window's own mean does not count. */
  readonly even: Float64Array
  readonly odd: Float64Array
}

/**
 * What a window of so many blocks needs for putting blocks together; made once, shared by all calls.
 *
 * Inside a block a shifted tone runs at its nominal frequency; from block to block its phase steps by the shifted one. At
 * 2 % that costs up to 2 % of a tone's power, at 3.3 % up to 6 %, and no further multiplication of samples is needed.
 * `tones` is exactly what is projected on, so a fit stays a true projection.
 */
export class WindowTables {
  readonly samples: number
  readonly halfBlocks: number
  readonly variants: number
  /** Per variant and pair of blocks: how the phase has turned from the window's middle to the block's. */
  readonly turnCosine: Float64Array
  readonly turnSine: Float64Array
  /** Mean of each even basis. */
  readonly means: Float64Array
  readonly tones: readonly SteppedTone[]
  readonly #shifts: readonly number[]

  /** @param blocks even. @param shifts relative frequency offsets, 0 first */
  constructor(blocks: number, shifts: readonly number[]) {
    this.samples = blocks * BLOCK_SAMPLES
    this.halfBlocks = blocks / 2
    this.variants = shifts.length * TONES
    this.#shifts = shifts
    const turns = Float64Array.from({ length: this.variants * this.halfBlocks }, (_, i) =>
      this.#turn(Math.floor(i / this.halfBlocks), i % this.halfBlocks),
    )
    this.turnCosine = turns.map((turn) => Math.cos(turn))
    this.turnSine = turns.map((turn) => Math.sin(turn))
    const raw = Array.from({ length: this.variants }, (_, variant) => this.#steppedTone(variant))
    this.means = Float64Array.from(raw, ({ even }) => meanOf(even))
    this.tones = raw.map(({ even, odd }) => ({ even: even.map((value) => value - meanOf(even)), odd }))
  }

  /** The phase at the middle of the `pair`th block after the window's middle. */
  #turn(variant: number, pair: number): number {
    const shift = this.#shifts[Math.floor(variant / TONES)] ?? 0
    const hz = (TONES_HZ[variant % TONES] ?? 0) * (1 + shift)
    return (2 * Math.PI * hz * (pair + 0.5) * BLOCK_SAMPLES) / RATE_HZ
  }

  #steppedTone(variant: number): SteppedTone {
    const even = new Float64Array(this.samples)
    const odd = new Float64Array(this.samples)
    const half = this.samples / 2
    const hz = TONES_HZ[variant % TONES] ?? 0
    for (let i = 0; i < half; i++) {
      const inBlock = (i % BLOCK_SAMPLES) - (BLOCK_SAMPLES - 1) / 2
      const phase = this.#turn(variant, Math.floor(i / BLOCK_SAMPLES)) + (2 * Math.PI * hz * inBlock) / RATE_HZ
      even[half + i] = Math.cos(phase)
      even[half - 1 - i] = Math.cos(phase)
      odd[half + i] = Math.sin(phase)
      odd[half - 1 - i] = -Math.sin(phase)
    }
    return { even, odd }
  }
}

/** Inner products of a window of a bank with the eight tones, each at several shifts of frequency, about its middle. */
export class ToneWindow {
  readonly alongEven: Float64Array
  readonly alongOdd: Float64Array
  readonly #tables: WindowTables
  #sum = 0

  constructor(tables: WindowTables) {
    this.#tables = tables
    this.alongEven = new Float64Array(tables.variants)
    this.alongOdd = new Float64Array(tables.variants)
  }

  /** The energy of the window that ends `ago` blocks before the newest, without its mean. */
  load(bank: ToneBank, ago: number): number {
    const blocks = 2 * this.#tables.halfBlocks
    const { sum: sums, energy: energies } = bank
    let slot = bank.slot(ago)
    let sum = 0
    let energy = 0
    for (let block = 0; block < blocks; block++) {
      sum += sums[slot] as number
      energy += energies[slot] as number
      slot = (slot - 1) & (BLOCKS_MAX - 1)
    }
    this.#sum = sum
    return Math.max(0, energy - (sum * sum) / this.#tables.samples)
  }

  /** Projects the window that was loaded on the unshifted tones. */
  project(bank: ToneBank, ago: number): void {
    bank.project(ago, 2 * this.#tables.halfBlocks)
    this.#turnAll(bank, ago, 0, TONES)
  }

  /** Projects it on the shifted tones as well; `project` came before. */
  projectShifted(bank: ToneBank, ago: number): void {
    this.#turnAll(bank, ago, TONES, this.#tables.variants)
  }

  /** The same for windows of four blocks, which every decision begins with: written out, without the loop. */
  #turnShort(bank: ToneBank, ago: number, from: number, to: number): void {
    const { turnCosine, turnSine, means } = this.#tables
    const { cosine, sine } = bank
    const { alongEven, alongOdd } = this
    const sum = this.#sum
    const a0 = bank.slot(ago + 1) * TONES
    const b0 = (a0 - TONES) & LAST_INDEX
    const a1 = (a0 + TONES) & LAST_INDEX
    const b1 = (b0 - TONES) & LAST_INDEX
    for (let variant = from; variant < to; variant++) {
      const tone = variant & (TONES - 1)
      const c0 = turnCosine[2 * variant] as number
      const s0 = turnSine[2 * variant] as number
      const c1 = turnCosine[2 * variant + 1] as number
      const s1 = turnSine[2 * variant + 1] as number
      const ca0 = cosine[a0 + tone] as number
      const cb0 = cosine[b0 + tone] as number
      const sa0 = sine[a0 + tone] as number
      const sb0 = sine[b0 + tone] as number
      const ca1 = cosine[a1 + tone] as number
      const cb1 = cosine[b1 + tone] as number
      const sa1 = sine[a1 + tone] as number
      const sb1 = sine[b1 + tone] as number
      alongEven[variant] =
        -(means[variant] as number) * sum +
        (c0 * (ca0 + cb0) - s0 * (sa0 - sb0)) +
        (c1 * (ca1 + cb1) - s1 * (sa1 - sb1))
      alongOdd[variant] = c0 * (sa0 + sb0) + s0 * (ca0 - cb0) + (c1 * (sa1 + sb1) + s1 * (ca1 - cb1))
    }
  }

  #turnAll(bank: ToneBank, ago: number, from: number, to: number): void {
    if (this.#tables.halfBlocks === 2) return this.#turnShort(bank, ago, from, to)
    const { halfBlocks: half, turnCosine, turnSine, means } = this.#tables
    const { cosine, sine } = bank
    const { alongEven, alongOdd } = this
    const middle = bank.slot(ago + half - 1) * TONES
    const sum = this.#sum
    for (let variant = from; variant < to; variant++) {
      let even = -(means[variant] as number) * sum
      let odd = 0
      // The blocks on either side of the middle, then those beside them, around the bank's ring.
      let after = middle + (variant & (TONES - 1))
      let before = (after - TONES) & LAST_INDEX
      const turns = variant * half
      for (let turn = turns; turn < turns + half; turn++) {
        const c = turnCosine[turn] as number
        const s = turnSine[turn] as number
        const ca = cosine[after] as number
        const cb = cosine[before] as number
        const sa = sine[after] as number
        const sb = sine[before] as number
        even += c * (ca + cb) - s * (sa - sb)
        odd += c * (sa + sb) + s * (ca - cb)
        after = (after + TONES) & LAST_INDEX
        before = (before - TONES) & LAST_INDEX
      }
      alongEven[variant] = even
      alongOdd[variant] = odd
    }
  }
}

function meanOf(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}
