import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { TimerQueue, type Timed } from './timer-queue.ts'

test('owners come out in the order of their last set times, cleared ones never', () => {
  const seed = 5
  const random = seededRandom(seed)
  const queue = new TimerQueue()
  const times = new Map<Timed, number>()
  const owners: Timed[] = Array.from({ length: 300 }, () => ({ wake: () => {} }))
  for (let round = 0; round < 5_000; round++) {
    const owner = owners[Math.floor(randomUnit(random) * owners.length)]
    assert.ok(owner !== undefined)
    const atMs = Math.floor(randomUnit(random) * 1_000)
    if (randomUnit(random) < 0.3) {
      queue.set(owner, undefined)
      times.delete(owner)
    } else {
      queue.set(owner, atMs)
      times.set(owner, atMs)
    }
  }
  assert.equal(queue.size, times.size)
  assert.equal(queue.nextAtMs(), Math.min(...times.values()))
  let lastMs = 0
  for (let due = queue.takeDue(500); due !== undefined; due = queue.takeDue(500)) {
    const atMs = times.get(due) ?? -1
    assert.ok(atMs >= lastMs && atMs <= 500, `seed ${seed}`)
    times.delete(due)
    lastMs = atMs
  }
  assert.ok([...times.values()].every((atMs) => atMs > 500))
  assert.equal(queue.size, times.size)
})
