import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Alarm } from './alarm.ts'

test('one timer follows the earliest wish, fires once for each, and stops', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  let wishMs: number | undefined = 100
  const woken: number[] = []
  const alarm = new Alarm(
    { monotonicMs: () => nowMs, wallMs: () => 0 },
    () => wishMs,
    (atMs) => {
      woken.push(atMs)
      wishMs = undefined
    },
  )
  const pass = (ms: number): void => {
    nowMs += ms
    t.mock.timers.tick(ms)
  }
  alarm.reschedule()
  pass(50)
  wishMs = 70
  alarm.reschedule()
  pass(20)
  assert.deepEqual(woken, [70])
  pass(1_000)
  assert.deepEqual(woken, [70], 'no wish, no wake')
  wishMs = nowMs - 5
  alarm.reschedule()
  pass(0)
  assert.equal(woken.length, 2, 'a wish in the past is met at once')
  wishMs = nowMs + 10
  alarm.reschedule()
  alarm.stop()
  pass(1_000)
  assert.equal(woken.length, 2)
})
