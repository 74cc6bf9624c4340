import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DroppedKeys } from './dropped-keys.ts'

test('a thousand keys of one call are a few reports, none is lost, and each call has its own', () => {
  const told: [string, number][] = []
  const dropped = new DroppedKeys((callId, count) => told.push([callId, count]))
  for (let i = 0; i < 1_000; i++) {
    dropped.add('a', 1)
    dropped.wake(i * 5)
  }
  dropped.add('b', 2)
  dropped.flush()
  assert.ok(told.length <= 8, `${told.length} reports`)
  const sum = (callId: string): number =>
    told.filter(([id]) => id === callId).reduce((all, [, count]) => all + count, 0)
  assert.deepEqual([sum('a'), sum('b')], [1_000, 2])
  assert.equal(dropped.nextWakeAtMs(), undefined)
})
