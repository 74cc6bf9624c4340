import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, randomUnit } from '../../lib/random.ts'
import { speechKeptPercent } from './speech-kept.ts'

const seed = 7
/** Noise in syllables of 100 ms: stands for speech. */
function speechLike(seconds: number): Int16Array {
  const random = seededRandom(seed)
  return Int16Array.from({ length: seconds * 8_000 }, (_, n) =>
    Math.floor(n / 800) % 2 === 0 ? Math.round((randomUnit(random) - 0.5) * 12_000) : 0,
  )
}

function delayed(samples: Int16Array, by: number): Int16Array {
  return Int16Array.from({ length: samples.length + by }, (_, n) => samples[n - by] ?? 0)
}

test('speech that arrives whole, with a delay that changes mid-call, counts as kept', () => {
  const caller = speechLike(4)
  const agent = delayed(caller, 800)
  agent.set(delayed(caller, 320).subarray(0, 16_000))
  const kept = speechKeptPercent(caller, agent, [])
  assert.ok(kept > 97, `seed ${seed}: ${kept}`)
})

test('speech that was cut out for half of the time, or made quieter, is missed', () => {
  const caller = speechLike(4)
  const cut = delayed(caller, 320)
  cut.fill(0, 16_000)
  const kept = speechKeptPercent(caller, cut, [])
  assert.ok(kept > 45 && kept < 55, `seed ${seed}: ${kept}`)
  const quieter = caller.map((sample) => sample * 0.8)
  assert.equal(speechKeptPercent(caller, quieter, []), 0)
})

test('frames beside keys are not asked for', () => {
  const caller = speechLike(2)
  const masked = caller.slice().fill(0, 8_000)
  const kept = speechKeptPercent(caller, masked, [{ startMs: 1_000, endMs: 2_000 }])
  assert.ok(kept > 97, `seed ${seed}: ${kept}`)
})
