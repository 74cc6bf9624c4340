/** What tells a short tone from a voice that holds it: whether it was there 20 ms before and 20 ms after. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { synthesizeKeys } from '../../sim/tones.ts'
import { contrastDb, HINDSIGHT_BLOCKS } from './hindsight.ts'
import { BLOCK_SAMPLES, ToneBank } from './tone-bank.ts'

const SEED = 404
/** Row 770 Hz, column 1,336 Hz. */
const KEY = 5
const PAIR = 5

/** Contrast of the 15 ms that begin `from` samples into the sound, 20 ms after they ended. */
function contrastAt(samples: Int16Array, from: number, pair: number): number {
  const bank = new ToneBank()
  const end = from + 120 + HINDSIGHT_BLOCKS * BLOCK_SAMPLES
  for (let at = end % BLOCK_SAMPLES; at < end; at += BLOCK_SAMPLES) {
    bank.push(Float64Array.from(samples.subarray(at, at + BLOCK_SAMPLES)))
  }
  return contrastDb(bank, HINDSIGHT_BLOCKS, pair)
}

function keyed(toneMs: number): Int16Array {
  const settings = { toneMs, gapMs: 100, snrDb: 20, leadSamples: 800 }
  return synthesizeKeys([KEY], settings, seededRandom(SEED)).samples
}

test('15 ms of a key stand out of what was before and after, whatever their place among the blocks', () => {
  const samples = keyed(15)
  for (let shift = -8; shift <= 8; shift += 4) {
    const contrast = contrastAt(samples, 800 + shift, PAIR)
    assert.ok(contrast > 12, `${contrast} dB at ${shift}, seed ${SEED}`)
  }
})

test('what goes on does not stand out: neither in the middle, nor at its beginning, nor at its end', () => {
  const samples = keyed(200)
  for (const from of [800, 1_400, 800 + 1_600 - 120]) {
    const contrast = contrastAt(samples, from, PAIR)
    assert.ok(contrast < 1.5, `${contrast} dB at ${from}, seed ${SEED}`)
  }
})

test('a pair of which one tone is not there does not stand out', () => {
  const samples = keyed(15)
  // The same row, with a column of 1,633 Hz.
  const contrast = contrastAt(samples, 800, 7)
  assert.ok(contrast < contrastAt(samples, 800, PAIR) - 6, `${contrast} dB, seed ${SEED}`)
})
