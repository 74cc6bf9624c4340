/** What each mask policy lets through, and when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  armedCall,
  type CallSettings,
  type Heard,
  packetize,
  soundingSamples,
} from '../../../test/support/dtmf-call.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { synthesizeKeys } from '../../sim/tones.ts'
import { ComfortNoise } from './comfort-noise.ts'

const SEED = 909

/** 8 s of noise at -34 dBFS, in place of speech, with keys at 2,000 and 2,400 ms. */
function noisyCall(settings: CallSettings, keys: readonly number[] = [4, 2]): Heard {
  const random = seededRandom(SEED)
  const sound = Int16Array.from({ length: 64_000 }, () => (randomUnit(random) - 0.5) * 2_200)
  const tones = synthesizeKeys(keys, { toneMs: 100, gapMs: 300, leadSamples: 0, tailSamples: 0 }, random)
  for (const [i, sample] of tones.samples.entries()) sound[16_000 + i] = (sound[16_000 + i] ?? 0) + sample
  return armedCall(packetize(sound), settings)
}

/** How much of the caller's sound between two moments reached the agent: 0 to 1. */
function passed(heard: Heard, fromMs: number, toMs: number): number {
  const span = heard.samples.subarray(heard.offset + fromMs * 8, heard.offset + toMs * 8)
  return soundingSamples(span) / span.length
}

test('adaptive: what lies between two keys is heard', () => {
  const heard = noisyCall({ maskPolicy: 'adaptive', fieldOpenMs: { from: 500, to: 7_000 } })
  assert.ok(passed(heard, 500, 1_900) > 0.9)
  assert.equal(passed(heard, 2_000, 2_100), 0)
  assert.ok(passed(heard, 2_200, 2_330) > 0.9)
})

test('burst: flat from the first key until two seconds after the last', () => {
  const heard = noisyCall({ maskPolicy: 'burst', fieldOpenMs: { from: 500, to: 7_000 } })
  assert.ok(passed(heard, 500, 1_900) > 0.9)
  assert.equal(passed(heard, 1_980, 4_400), 0)
  assert.ok(passed(heard, 4_700, 7_000) > 0.9)
})

test('burst: a closed field ends it a moment later', () => {
  const heard = noisyCall({ maskPolicy: 'burst', fieldOpenMs: { from: 500, to: 2_600 } })
  assert.equal(passed(heard, 1_980, 3_300), 0)
  assert.ok(passed(heard, 3_500, 4_400) > 0.9)
})

test('full: flat from the moment a field is open, what was under way included, until a moment after', () => {
  const heard = noisyCall({ maskPolicy: 'full', fieldOpenMs: { from: 1_000, to: 3_000 } }, [])
  assert.ok(passed(heard, 300, 850) > 0.9)
  assert.equal(passed(heard, 950, 3_700), 0)
  assert.ok(passed(heard, 3_900, 6_000) > 0.9)
})

test('full and burst: the same keys are told, at the same time, as in adaptive', () => {
  const [adaptive, burst, full] = (['adaptive', 'burst', 'full'] as const).map((maskPolicy) =>
    noisyCall({ maskPolicy, fieldOpenMs: { from: 500, to: 7_000 } }),
  )
  assert.deepEqual(adaptive?.keys, [4, 2])
  assert.deepEqual(burst?.keyAtMs, adaptive?.keyAtMs)
  assert.deepEqual(full?.keyAtMs, adaptive?.keyAtMs)
})

test('what the agent hears of a press is the same samples whatever the key, in every policy and replacement', () => {
  for (const maskPolicy of ['adaptive', 'burst', 'full'] as const) {
    for (const replacement of ['flat', 'silence', 'comfort'] as const) {
      const settings = { maskPolicy, replacement, fieldOpenMs: { from: 500, to: 7_000 } }
      const [first, ...others] = [
        [0, 5],
        [9, 1],
        [11, 11],
      ].map((keys) => {
        const heard = noisyCall(settings, keys)
        // From inside the first mask to inside the second one; whoever masks less passes noise, which is the same too.
        return heard.samples.slice(heard.offset + 1_990 * 8, heard.offset + 2_110 * 8)
      })
      for (const other of others) assert.deepEqual(other, first, `${maskPolicy}, ${replacement}`)
    }
  }
})

test("comfort noise: at the line's level in steps of 6 dB, silence never, a voice does not raise it", () => {
  const levels = [3, 40, 70, 3_000].map((peak) => {
    const random = seededRandom(SEED)
    const noise = new ComfortNoise()
    for (let frame = 0; frame < 100; frame++) {
      const loud = frame % 10 === 0 ? 3_000 : peak
      noise.listen(Int16Array.from({ length: 160 }, () => (randomUnit(random) - 0.5) * 2 * loud))
    }
    let energy = 0
    for (let i = 0; i < 8_000; i++) energy += noise.next() ** 2
    return Math.round(10 * Math.log10(energy / 8_000 / 32_768 ** 2))
  })
  assert.deepEqual(levels, [-72, -66, -60, -48])
})
