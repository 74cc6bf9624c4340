import { COLUMNS_HZ, ROWS_HZ } from './tone-pairs.ts'

/** 2.5 ms: what all windows of masker and reporter are made of. */
export const BLOCK_SAMPLES = 20
/** Blocks remembered: 80 ms, for windows of up to 40 ms and a look at what was around them. */
export const BLOCKS_MAX = 32
export const TONES_HZ: readonly number[] = [...ROWS_HZ, ...COLUMNS_HZ]

const RATE_HZ = 8_000
const TONES = TONES_HZ.length
const HALF = BLOCK_SAMPLES / 2
/** Below -70 dB a block is left out of all sums: far below all that masker and reporter listen to. */
const ENERGY_MIN = BLOCK_SAMPLES * 32_768 ** 2 * 10 ** (-70 / 10)
const RING_WRAP = BLOCKS_MAX - 1
// Each tone about the middle of a block, its second half: all cosines of a tone, then all its sines.
const WAVES = Float64Array.from({ length: TONES * BLOCK_SAMPLES }, (_, i) => {
  const radians = (2 * Math.PI * (TONES_HZ[Math.floor(i / BLOCK_SAMPLES)] ?? 0) * ((i % HALF) + 0.5)) / RATE_HZ
  return i % BLOCK_SAMPLES < HALF ? Math.cos(radians) : Math.sin(radians)
})

/**
 * The inner products of sound with the eight tones, block by block. Windows overlap many times over, so each sample is
 * multiplied once here, and a window of any length is put together from its blocks (`ToneWindow`).
 *
 * Time runs from the middle of a block: cosines are even and sines odd, and half the multiplications do.
 */
export class ToneBank {
  /** Along cosine and sine of each tone about the block's middle, TONES per block; after `project`. */
  readonly cosine = new Float64Array(BLOCKS_MAX * TONES)
  readonly sine = new Float64Array(BLOCKS_MAX * TONES)
  readonly energy = new Float64Array(BLOCKS_MAX)
  readonly sum = new Float64Array(BLOCKS_MAX)
  readonly samples = new Float64Array(BLOCKS_MAX * BLOCK_SAMPLES)
  readonly #isProjected = new Uint8Array(BLOCKS_MAX)
  #count = 0

  /** Where in the arrays the block is that came `ago` blocks before the newest one. */
  slot(ago: number): number {
    return (this.#count - 1 - ago) & RING_WRAP
  }

  /** @param samples BLOCK_SAMPLES, 16-bit scale */
  push(samples: Float64Array): void {
    const kept = this.samples
    const at = this.place
    let sum = 0
    let energy = 0
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      const sample = samples[i] as number
      kept[at + i] = sample
      sum += sample
      energy += sample * sample
    }
    this.add(sum, energy)
  }

  /** Where in `samples` the next block goes, for one who writes it there. */
  get place(): number {
    return (this.#count & RING_WRAP) * BLOCK_SAMPLES
  }

  /** The block at `place` was written. @param sum of its samples. @param energy their squares' sum */
  add(sum: number, energy: number): void {
    const slot = this.#count++ & RING_WRAP
    this.sum[slot] = sum
    this.energy[slot] = energy
    this.#isProjected[slot] = 0
  }

  /** Sees to it that `cosine` and `sine` hold the newest blocks, from `ago` blocks before the newest. */
  project(ago: number, blocks: number): void {
    const newest = this.#count - 1 - ago
    for (let i = 0; i < blocks; i++) {
      const slot = (newest - i) & RING_WRAP
      if (this.#isProjected[slot] === 1) continue
      this.#isProjected[slot] = 1
      if ((this.energy[slot] as number) >= ENERGY_MIN) this.#project(slot)
      else {
        this.cosine.fill(0, slot * TONES, (slot + 1) * TONES)
        this.sine.fill(0, slot * TONES, (slot + 1) * TONES)
      }
    }
  }

  wipe(): void {
    for (const kept of [this.cosine, this.sine, this.energy, this.sum, this.samples]) kept.fill(0)
  }

  /** Written out for the ten pairs of samples about the middle: held in locals, each is loaded once for all tones. */
  #project(slot: number): void {
    const s = this.samples
    const m = slot * BLOCK_SAMPLES + HALF
    const a0 = s[m + 0] as number
    const b0 = s[m - 1] as number
    const a1 = s[m + 1] as number
    const b1 = s[m - 2] as number
    const a2 = s[m + 2] as number
    const b2 = s[m - 3] as number
    const a3 = s[m + 3] as number
    const b3 = s[m - 4] as number
    const a4 = s[m + 4] as number
    const b4 = s[m - 5] as number
    const a5 = s[m + 5] as number
    const b5 = s[m - 6] as number
    const a6 = s[m + 6] as number
    const b6 = s[m - 7] as number
    const a7 = s[m + 7] as number
    const b7 = s[m - 8] as number
    const a8 = s[m + 8] as number
    const b8 = s[m - 9] as number
    const a9 = s[m + 9] as number
    const b9 = s[m - 10] as number
    const e0 = a0 + b0
    const o0 = a0 - b0
    const e1 = a1 + b1
    const o1 = a1 - b1
    const e2 = a2 + b2
    const o2 = a2 - b2
    const e3 = a3 + b3
    const o3 = a3 - b3
    const e4 = a4 + b4
    const o4 = a4 - b4
    const e5 = a5 + b5
    const o5 = a5 - b5
    const e6 = a6 + b6
    const o6 = a6 - b6
    const e7 = a7 + b7
    const o7 = a7 - b7
    const e8 = a8 + b8
    const o8 = a8 - b8
    const e9 = a9 + b9
    const o9 = a9 - b9
    const at = slot * TONES
    for (let tone = 0; tone < TONES; tone++) {
      const w = tone * BLOCK_SAMPLES
      this.cosine[at + tone] =
        e0 * (WAVES[w + 0] as number) +
        e1 * (WAVES[w + 1] as number) +
        e2 * (WAVES[w + 2] as number) +
        e3 * (WAVES[w + 3] as number) +
        e4 * (WAVES[w + 4] as number) +
        e5 * (WAVES[w + 5] as number) +
        e6 * (WAVES[w + 6] as number) +
        e7 * (WAVES[w + 7] as number) +
        e8 * (WAVES[w + 8] as number) +
        e9 * (WAVES[w + 9] as number)
      this.sine[at + tone] =
        o0 * (WAVES[w + 10] as number) +
        o1 * (WAVES[w + 11] as number) +
        o2 * (WAVES[w + 12] as number) +
        o3 * (WAVES[w + 13] as number) +
        o4 * (WAVES[w + 14] as number) +
        o5 * (WAVES[w + 15] as number) +
        o6 * (WAVES[w + 16] as number) +
        o7 * (WAVES[w + 17] as number) +
        o8 * (WAVES[w + 18] as number) +
        o9 * (WAVES[w + 19] as number)
    }
  }
}
