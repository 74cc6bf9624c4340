import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../../src/lib/random.ts'
import { Timeline } from './timeline.ts'

test('the shown edge glides although frames arrive unevenly, and stays close behind them', () => {
  const seed = 5
  const random = seededRandom(seed)
  const timeline = new Timeline()
  let sent = 0
  let waiting = 0
  let before = 0
  for (let ms = 50_000; ms < 60_000; ms += 5) {
    if (ms % 20 === 0) waiting += 2
    // The network holds frames back for up to 80 ms.
    if (waiting >= 8 || randomUnit(random) < 0.1) {
      if (waiting > 0) sent = timeline.place('caller', waiting, ms) + waiting
      waiting = 0
    }
    const shown = timeline.shownAt(ms)
    if (ms > 52_000) {
      // Even is half a column in 5 ms.
      assert.ok(shown - before < 0.9 && shown >= before, `seed ${seed}: jump of ${shown - before} columns at ${ms} ms`)
      assert.ok(sent - shown < 40, `seed ${seed}: ${sent - shown} columns behind at ${ms} ms`)
    }
    before = shown
  }
})

test('the picture stands still while nothing arrives and goes on without a jump', () => {
  const timeline = new Timeline()
  for (let ms = 0; ms <= 2_000; ms += 20) timeline.place('agent', 2, ms)
  const stopped = timeline.shownAt(5_000)
  assert.equal(timeline.shownAt(90_000), stopped)
  assert.equal(timeline.place('agent', 2, 90_000), stopped)
  assert.equal(timeline.shownAt(90_020), stopped)
})

test('a direction that joins late is drawn at the same time as the other', () => {
  const timeline = new Timeline()
  let agent = 0
  for (let ms = 0; ms <= 4_000; ms += 20) agent = timeline.place('agent', 2, ms)
  assert.ok(Math.abs(timeline.place('caller', 2, 4_000) - agent) <= 2)
})
