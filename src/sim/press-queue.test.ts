import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simLimits } from '../lib/limits.ts'
import { PressQueue } from './press-queue.ts'

test('presses leave in the order in which they came', () => {
  const queue = new PressQueue()
  for (const key of [4, 2, 11]) queue.add(key, 'event', 100)
  const keys: number[] = []
  while (queue.take((key) => keys.push(key))) continue
  assert.deepEqual(keys, [4, 2, 11])
})

test('a hold is brought into its limits', () => {
  const queue = new PressQueue()
  queue.add(1, 'in-band', 0)
  queue.add(1, 'in-band', 1e9)
  const holds: number[] = []
  while (queue.take((_key, _carriage, holdMs) => holds.push(holdMs))) continue
  assert.deepEqual(holds, [simLimits.pressMsMin, simLimits.pressMsMax])
})

test('a cleared queue gives nothing', () => {
  const queue = new PressQueue()
  queue.add(1, 'in-band', 100)
  queue.clear()
  assert.equal(
    queue.take(() => assert.fail('a press was kept')),
    false,
  )
})
