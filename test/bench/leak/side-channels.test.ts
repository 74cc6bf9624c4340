// The benchmark's test for side channels: it must find what depends on the key, and nothing where nothing does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomBytes, randomUnit, seededRandom } from '../../../src/lib/random.ts'
import type { MaskPolicy } from '../../../src/wall/settings.ts'
import { corrected, keyDependence } from './key-dependence.ts'
import { type PlantedDelay, sideChannels } from './side-channels.ts'

const CALLS = 480
const SEEDS = [7_001, 7_002] as const
/** 3 ms. */
const DELAY_SAMPLES = 24

function findings(policies: readonly MaskPolicy[], planted?: PlantedDelay): string[] {
  const all = SEEDS.flatMap((seed) => policies.flatMap((policy) => sideChannels(policy, seed, CALLS, planted)))
  const chances = corrected(all.map(({ chance }) => chance))
  return all.flatMap(({ policy, feature, seed }, index) =>
    (chances[index] ?? 0) < 0.05 ? [`${policy}: ${feature}, seed ${seed}`] : [],
  )
}

test('nothing that anyone can measure depends on the key', () => {
  assert.deepEqual(findings(['adaptive', 'burst', 'full']), [])
})

test('a masker that is 3 ms slower for the lower half of the keypad is found', () => {
  const slower: PlantedDelay = (key) => (key < 8 ? 0 : DELAY_SAMPLES)
  const found = findings(['adaptive', 'burst'], slower)
  for (const one of ['adaptive: where the mask begins', 'burst: ']) {
    assert.ok(
      found.some((finding) => finding.startsWith(one)),
      `${one}, found: ${found.join()}`,
    )
  }
})

test('a dependence of a tenth of the noise is found in 4,000 presses, and none where there is none', () => {
  const random = seededRandom(5)
  const keys = Array.from({ length: 4_000 }, () => Math.floor(randomUnit(random) * 16))
  const noise = keys.map(() => gaussian(random))
  const bent = noise.map((value, index) => value + ((keys[index] ?? 0) % 2) * 0.2)
  assert.ok(keyDependence(bent, keys, 500, random).chance < 0.01)
  assert.ok(Math.abs(keyDependence(bent, keys, 1, random).spread - 0.1) < 0.03)
  assert.ok(keyDependence(noise, keys, 500, random).chance > 0.05)
})

test('Holm: the smallest of ten counts ten times, the largest once, and none less than a smaller one', () => {
  assert.deepEqual(corrected([0.01, 0.5, 0.02]), [0.03, 0.5, 0.04])
  assert.deepEqual(corrected([0.4, 0.3]), [0.6, 0.6])
  assert.deepEqual(corrected([0.9, 0.8, 1]), [1, 1, 1])
})

function gaussian(random: RandomBytes): number {
  return Math.sqrt(-2 * Math.log(1 - randomUnit(random))) * Math.cos(2 * Math.PI * randomUnit(random))
}
