import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sipLimits } from '../../lib/limits.ts'
import { SourceRate } from './source-rate.ts'

const { newCallsPerSourcePerS, newCallsPerSourceBurst, callSourcesMax } = sipLimits
const taken = (rate: SourceRate, host: string, tries: number, nowMs: number): number =>
  Array.from({ length: tries }, () => rate.takes(host, nowMs)).filter(Boolean).length

test('a burst passes, then so many a second, and other sources are not touched', () => {
  const rate = new SourceRate()
  assert.equal(taken(rate, '127.0.0.1', 1_000, 0), newCallsPerSourceBurst)
  assert.equal(taken(rate, '192.0.2.1', 10, 0), 10)
  assert.equal(taken(rate, '127.0.0.1', 1_000, 1_000), newCallsPerSourcePerS)
  assert.equal(taken(rate, '127.0.0.1', 1_000, 3_600_000), newCallsPerSourceBurst)
})

test('a source that tries all the time still gets its rate', () => {
  const rate = new SourceRate()
  let passed = 0
  for (let nowMs = 0; nowMs < 10_000; nowMs++) passed += taken(rate, '192.0.2.1', 1, nowMs)
  const expected = newCallsPerSourceBurst + 10 * newCallsPerSourcePerS
  assert.ok(Math.abs(passed - expected) <= 1, `${passed} of ${expected}`)
})

test('made-up sources cannot grow it, and the busy one is not what it forgets', () => {
  const rate = new SourceRate()
  taken(rate, '192.0.2.1', newCallsPerSourceBurst, 0)
  for (let n = 0; n < 2 * callSourcesMax; n++) {
    rate.takes(`2001:db8::${n.toString(16)}`, 0)
    assert.equal(rate.takes('192.0.2.1', 0), false)
  }
  assert.equal(rate.size, callSourcesMax)
})
