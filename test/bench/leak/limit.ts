/**
 * What could any detector do? One that knows nothing but how well a pair of tones explains 15 ms (the likelihood ratio of two
 * tones of free phase and level against noise), is asked every 2.5 ms, and may mask as much of speech as `adaptive` may.
 */
import { CELL_SAMPLES } from '../../../src/cde/dtmf/timeline.ts'
import { ToneBand } from '../../../src/cde/dtmf/tone-band.ts'
import { BLOCK_SAMPLES, ToneBank } from '../../../src/cde/dtmf/tone-bank.ts'
import { FitTables, ToneFit } from '../../../src/cde/dtmf/tone-fit.ts'
import { randomUnit, seededRandom } from '../../../src/lib/random.ts'
import { mostLikelyKey } from '../../../src/sim/known-plaintext.ts'
import { synthesizeKeys } from '../../../src/sim/tones.ts'
import { addSpeech } from './conditions.ts'

export interface Limit {
  readonly toneMs: number
  readonly overSpeechDb: number
  readonly tried: number
  /** Tones that the detector does not find, wherever it looks within 5 ms of them. */
  readonly missed: number
  /** Keys read off the same sound by the judge that is told where they were. */
  readonly read: number
}

const WINDOW_BLOCKS = 6
const TABLES = new FitTables(WINDOW_BLOCKS, [0, -0.018, 0.018, -0.034, 0.034], -58)
const WINDOW_SAMPLES = WINDOW_BLOCKS * BLOCK_SAMPLES
/** A window that is taken costs 5 ms on either side, and cells. */
const MARGIN_SAMPLES = 40
const SPEECH_SHARE = 0.002
/** One tone alone is no key: speech has many. */
const TWIST_DB_MAX = 15
const CALLS = 15
const KEYS_PER_CALL = 16

/** Of tones of 15 ms, by how far they are above the speech under them. */
export function limits(speech: Int16Array, seed: number): Limit[] {
  const threshold = thresholdFor(puritiesOf(speech), SPEECH_SHARE)
  return [10, 6, 3, 0].map((overSpeechDb) => limit(speech, 15, overSpeechDb, threshold, seed + overSpeechDb))
}

function limit(speech: Int16Array, toneMs: number, overSpeechDb: number, threshold: number, seed: number): Limit {
  const random = seededRandom(seed)
  let [tried, missed, read] = [0, 0, 0]
  for (let call = 0; call < CALLS; call++) {
    const keys = Array.from({ length: KEYS_PER_CALL }, () => Math.floor(randomUnit(random) * 16))
    const leadSamples = 1_600 + Math.floor(randomUnit(random) * 160)
    const { samples, spans } = synthesizeKeys(keys, { toneMs, gapMs: 400, leadSamples, tailSamples: 4_000 }, random)
    addSpeech(samples, spans, overSpeechDb, speech, random)
    const purities = puritiesOf(samples)
    for (const [index, { from, to }] of spans.entries()) {
      const first = Math.ceil((from - MARGIN_SAMPLES + WINDOW_SAMPLES) / BLOCK_SAMPLES)
      const last = Math.floor((to + MARGIN_SAMPLES) / BLOCK_SAMPLES)
      tried++
      if (purities.subarray(first - 1, last).every((purity) => purity <= threshold)) missed++
      if (mostLikelyKey(samples.subarray(from, to)) === keys[index]) read++
    }
  }
  return { toneMs, overSpeechDb, tried, missed, read }
}

/** Of the 15 ms that end with each block of 2.5 ms. */
function puritiesOf(samples: Int16Array): Float64Array {
  const [all, band, filter, fit] = [new ToneBank(), new ToneBank(), new ToneBand(), new ToneFit(TABLES, 0.25)]
  const block = new Float64Array(BLOCK_SAMPLES)
  return Float64Array.from({ length: Math.floor(samples.length / BLOCK_SAMPLES) }, (_, index) => {
    block.set(samples.subarray(index * BLOCK_SAMPLES, (index + 1) * BLOCK_SAMPLES))
    filter.split(block, all, band)
    const { purity, twistDb } = fit.fit(band, 0, 0)
    return Math.abs(twistDb) < TWIST_DB_MAX ? purity : 0
  })
}

/** The purity above which windows cost just that share of the speech, to a hundredth. */
function thresholdFor(purities: Float64Array, share: number): number {
  for (let threshold = 0.5; threshold < 1; threshold += 0.01) {
    if (maskedShare(purities, threshold) <= share) return threshold
  }
  return 1
}

function maskedShare(purities: Float64Array, threshold: number): number {
  const cells = new Set<number>()
  for (const [index, purity] of purities.entries()) {
    if (purity <= threshold) continue
    const end = (index + 1) * BLOCK_SAMPLES + MARGIN_SAMPLES
    const start = end - WINDOW_SAMPLES - 2 * MARGIN_SAMPLES
    for (let cell = Math.floor(start / CELL_SAMPLES); cell * CELL_SAMPLES < end; cell++) cells.add(cell)
  }
  return (cells.size * CELL_SAMPLES) / (purities.length * BLOCK_SAMPLES)
}
