import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callLimits } from '../../lib/limits.ts'
import { KeyRate } from './key-rate.ts'

test('a flood of keys is told no faster than fingers are, and a finger is never held up', () => {
  const flooded = new KeyRate(0)
  let told = 0
  for (let i = 0; i < 60_000; i++) if (flooded.allows(i / 6)) told++
  assert.ok(told <= callLimits.keysBurstMax + 10 * callLimits.keysPerSecondMax + 1, `${told} in 10 s`)
  const finger = new KeyRate(0)
  for (let i = 0; i < 1_000; i++) assert.ok(finger.allows(i * 60), 'a key every 60 ms')
})
