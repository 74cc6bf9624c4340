import { COLUMNS_HZ, ROWS_HZ } from './tone-pairs.ts'

/** 2.5 ms: what all windows of masker and reporter are made of. */
export const BLOCK_SAMPLES = 20
/** Blocks remembered: 40 ms, the longest window. */
export const BLOCKS_MAX = 16
export const TONES_HZ: readonly number[] = [...ROWS_HZ, ...COLUMNS_HZ]

const RATE_HZ = 8_000
const TONES = TONES_HZ.length
const HALF = BLOCK_SAMPLES / 2
/** Below -70 dB a block is left out of all sums: far below all that masker and reporter listen to. */
const ENERGY_MIN = BLOCK_SAMPLES * 32_768 ** 2 * 10 ** (-70 / 10)
const RING_WRAP = BLOCKS_MAX - 1
// Each tone about the middle of a block, its second half.
const COSINES = Float64Array.from({ length: TONES * HALF }, (_, i) => Math.cos(phaseAt(i)))
const SINES = Float64Array.from({ length: TONES * HALF }, (_, i) => Math.sin(phaseAt(i)))

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
  readonly #even = new Float64Array(HALF)
  readonly #odd = new Float64Array(HALF)
  #count = 0

  /** Where in the arrays the block is that came `ago` blocks before the newest one. */
  slot(ago: number): number {
    return (this.#count - 1 - ago) & RING_WRAP
  }

  /** @param samples BLOCK_SAMPLES, 16-bit scale */
  push(samples: Float64Array): void {
    const slot = this.#count++ & RING_WRAP
    this.samples.set(samples, slot * BLOCK_SAMPLES)
    let sum = 0
    let energy = 0
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      const sample = samples[i] as number
      sum += sample
      energy += sample * sample
    }
    this.sum[slot] = sum
    this.energy[slot] = energy
    this.#isProjected[slot] = 0
  }

  /** Sees to it that `cosine` and `sine` hold the newest blocks, from `ago` blocks before the newest. */
  project(ago: number, blocks: number): void {
    for (let i = ago; i < ago + blocks; i++) {
      const slot = this.slot(i)
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
    for (const kept of [this.cosine, this.sine, this.energy, this.sum, this.samples, this.#even, this.#odd])
      kept.fill(0)
  }

  #project(slot: number): void {
    const even = this.#even
    const odd = this.#odd
    const middle = slot * BLOCK_SAMPLES + HALF
    for (let i = 0; i < HALF; i++) {
      const after = this.samples[middle + i] as number
      const before = this.samples[middle - 1 - i] as number
      even[i] = after + before
      odd[i] = after - before
    }
    const at = slot * TONES
    for (let tone = 0; tone < TONES; tone++) {
      const base = tone * HALF
      let alongCosine = 0
      let alongSine = 0
      for (let i = 0; i < HALF; i++) {
        alongCosine += (even[i] as number) * (COSINES[base + i] as number)
        alongSine += (odd[i] as number) * (SINES[base + i] as number)
      }
      this.cosine[at + tone] = alongCosine
      this.sine[at + tone] = alongSine
    }
  }
}

function phaseAt(index: number): number {
  return (2 * Math.PI * (TONES_HZ[Math.floor(index / HALF)] ?? 0) * ((index % HALF) + 0.5)) / RATE_HZ
}
