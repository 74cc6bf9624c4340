import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Timeline } from './timeline.ts'

test('the shown edge glides although frames arrive in bursts, and stays close behind them', () => {
  const timeline = new Timeline()
  let placed = 0
  let before = 0
  for (let ms = 50_000; ms < 60_000; ms += 5) {
    if (ms % 60 === 0) placed = timeline.place('caller', 6, ms) + 6
    const shown = timeline.shownAt(ms)
    if (ms > 52_000) {
      assert.ok(shown - before < 1.2 && shown >= before, `jump of ${shown - before} columns at ${ms} ms`)
      assert.ok(placed - shown < 30, `${placed - shown} columns behind at ${ms} ms`)
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
