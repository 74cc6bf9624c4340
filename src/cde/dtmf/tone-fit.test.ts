/** The blocks of the bank against the same fit made plainly, sample by sample and pair by pair. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import { BLOCK_SAMPLES, ToneBank, TONES_HZ } from './tone-bank.ts'
import { FitTables, ToneFit } from './tone-fit.ts'

const SEED = 1_234
const LEVEL_DB_MIN = -58

/** Least squares on cosine and sine of each tone, without the window's mean. @returns best pair and its share of the energy */
function plainFit(window: Float64Array, shifts: readonly number[]): { pair: number; purity: number } {
  const mean = window.reduce((sum, value) => sum + value, 0) / window.length
  const centred = window.map((value) => value - mean)
  const energy = dot(centred, centred)
  let best = { pair: -1, purity: -1 }
  for (let pair = 0; pair < 16; pair++) {
    for (const rowShift of shifts) {
      for (const columnShift of shifts) {
        const tonesHz = [
          (TONES_HZ[pair >> 2] ?? 0) * (1 + rowShift),
          (TONES_HZ[4 + (pair & 3)] ?? 0) * (1 + columnShift),
        ]
        const purity = energyInSpan(centred, tonesHz) / energy
        if (purity > best.purity) best = { pair, purity }
      }
    }
  }
  return best
}

function energyInSpan(window: Float64Array, tonesHz: readonly number[]): number {
  const basis: Float64Array[] = [window.map(() => 1 / Math.sqrt(window.length))]
  let energy = 0
  for (const hz of tonesHz) {
    for (const quarter of [0, Math.PI / 2]) {
      const vector = window.map((_, i) => Math.cos((2 * Math.PI * hz * i) / 8_000 - quarter))
      for (const other of basis) {
        const along = dot(vector, other)
        for (const [i, value] of other.entries()) vector[i] = (vector[i] ?? 0) - along * value
      }
      const length = Math.sqrt(dot(vector, vector))
      const unit = vector.map((value) => value / length)
      basis.push(unit)
      energy += dot(window, unit) ** 2
    }
  }
  return energy
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

/** A pair of any level and twists up to 10 dB, off by up to `shift`, under noise and on a direct current. */
function anyWindow(samples: number, shift: number, random: RandomBytes): Float64Array {
  const between = (low: number, high: number): number => low + (high - low) * randomUnit(random)
  const row = Math.floor(between(0, 4))
  const column = 4 + Math.floor(between(0, 4))
  const level = between(2, 4)
  const waves = [row, column].map((tone) => ({
    radians: (2 * Math.PI * (TONES_HZ[tone] ?? 0) * (1 + between(-shift, shift))) / 8_000,
    peak: 10 ** (level - between(0, 0.5)),
    phase: between(0, 7),
  }))
  const noise = 10 ** between(0, 4)
  const direct = between(-300, 300)
  return Float64Array.from({ length: samples }, (_, i) => {
    const tones = waves.reduce((sum, { radians, peak, phase }) => sum + peak * Math.cos(radians * i + phase), 0)
    return tones + noise * between(-1, 1) + direct
  })
}

function bankOf(window: Float64Array): ToneBank {
  const bank = new ToneBank()
  for (let from = 0; from < window.length; from += BLOCK_SAMPLES) {
    bank.push(window.subarray(from, from + BLOCK_SAMPLES))
  }
  return bank
}

test('nominal tones: the same pair and the same purity as the plain fit', () => {
  const random = seededRandom(SEED)
  for (const blocks of [4, 6, 12, 16]) {
    const fit = new ToneFit(new FitTables(blocks, [0], LEVEL_DB_MIN), 0)
    for (let trial = 0; trial < 200; trial++) {
      const window = anyWindow(blocks * BLOCK_SAMPLES, 0.02, random)
      const plain = plainFit(window, [0])
      const fast = fit.fit(bankOf(window), 0, 0)
      assert.ok(Math.abs(fast.purity - plain.purity) < 1e-9, `${fast.purity}, ${plain.purity}, seed ${SEED}`)
      assert.equal(fast.pair, plain.pair, `seed ${SEED}`)
    }
  }
})

test('shifted tones: what is suspect to the plain fit is the same pair here, and hardly less pure', () => {
  const random = seededRandom(SEED)
  const shifts = [0, -0.02, 0.02]
  for (const blocks of [4, 6]) {
    const fit = new ToneFit(new FitTables(blocks, shifts, LEVEL_DB_MIN), 0.25)
    let suspects = 0
    let samePairs = 0
    for (let trial = 0; trial < 300; trial++) {
      const window = anyWindow(blocks * BLOCK_SAMPLES, 0.03, random)
      const plain = plainFit(window, shifts)
      if (plain.purity < 0.5) continue
      const fast = fit.fit(bankOf(window), 0, 0)
      suspects++
      if (fast.pair === plain.pair) samePairs++
      // From 0.92 on shifts are not tried.
      assert.ok(fast.purity > Math.min(plain.purity, 0.92) - 0.06, `${fast.purity} of ${plain.purity}, seed ${SEED}`)
      assert.ok(fast.purity < 1 + 1e-9)
    }
    assert.ok(suspects > 100)
    assert.ok(samePairs >= 0.98 * suspects, `${samePairs} of ${suspects}, seed ${SEED}`)
  }
})

test('a window some blocks ago is the window that it was then', () => {
  const random = seededRandom(SEED)
  const fit = new ToneFit(new FitTables(4, [0], LEVEL_DB_MIN), 0)
  const long = anyWindow(30 * BLOCK_SAMPLES, 0.02, random)
  const bank = new ToneBank()
  for (let end = BLOCK_SAMPLES; end <= long.length; end += BLOCK_SAMPLES) {
    bank.push(long.subarray(end - BLOCK_SAMPLES, end))
    if (end < 7 * BLOCK_SAMPLES) continue
    const plain = plainFit(long.slice(end - 7 * BLOCK_SAMPLES, end - 3 * BLOCK_SAMPLES), [0])
    assert.ok(Math.abs(fit.fit(bank, 3, 0).purity - plain.purity) < 1e-9, `seed ${SEED}`)
  }
})
