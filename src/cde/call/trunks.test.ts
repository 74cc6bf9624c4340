import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callLimits } from '../../lib/limits.ts'
import { report } from '../../wall/messages.ts'
import { Trunks } from './trunks.ts'

test('each number and address is a trunk, and each press is counted where it belongs', () => {
  const trunks = new Trunks()
  const sales = trunks.of('sales', '192.0.2.1')
  for (let i = 0; i < 5; i++) sales.reported()
  sales.unclear('too-short')
  sales.unclear('not-negotiated')
  sales.tooFast()
  for (const why of ['too-near', 'at-the-edge', 'carriages-differ'] as const) sales.unclear(why)
  sales.slowNews('one', { type: 'doubled', places: [3, 1] })
  sales.slowNews('one', { type: 'doubled', places: [] })
  trunks.of('sales', '192.0.2.2').reported()
  trunks.of('support', '2001:db8::1').reported()
  const rest = { lost: 0, doubled: 0, uncertain: 0, slow: false }
  assert.deepEqual(trunks.reports(), [
    { number: 'sales', source: '192.0.2.1', reported: 5, lost: 3, doubled: 3, uncertain: 3, slow: false },
    { number: 'sales', source: '192.0.2.2', reported: 1, ...rest },
    { number: 'support', source: '2001:db8::1', reported: 1, ...rest },
  ])
})

test('how a trunk doubles is remembered once two calls have shown the same, until one shows that it does so no more', () => {
  const trunks = new Trunks()
  const pattern = { first: 'event', second: 'in-band', lagMs: 300 } as const
  const known = (host = '192.0.2.1') => trunks.known('sales', host)?.pattern
  const tell = (callId: string, lagMs: number) =>
    trunks.of('sales', '192.0.2.1').slowNews(callId, { type: 'slow', pattern: { ...pattern, lagMs } })
  assert.equal(known(), undefined)
  tell('one', 300)
  assert.deepEqual([known(), trunks.reports()[0]?.slow], [undefined, true])
  // The same call, armed anew, is no second one; and a call that doubles otherwise is no witness.
  tell('one', 310)
  assert.equal(known(), undefined)
  tell('two', 500)
  assert.equal(known(), undefined)
  tell('three', 510)
  assert.deepEqual([known(), known('192.0.2.2')], [{ ...pattern, lagMs: 510 }, undefined])
  trunks.of('sales', '192.0.2.1').slowNews('four', { type: 'normal' })
  assert.deepEqual([known(), trunks.reports()[0]?.slow], [undefined, false])
  tell('five', 510)
  assert.equal(known(), undefined)
})

test('a flood of addresses fills no more rows than there are, and what the wall takes', () => {
  const trunks = new Trunks()
  for (let i = 0; i < 10_000; i++) trunks.of('sales', `10.0.${i >> 8}.${i & 255}`).reported()
  trunks.of('sales', 'fe80::1%eth0').reported()
  trunks.of('sales', 'not an address').reported()
  const rows = trunks.reports()
  assert.equal(rows.length, callLimits.trunksMax + 1)
  assert.equal(rows.at(-1)?.source, 'other')
  assert.equal(
    rows.reduce((sum, { reported }) => sum + reported, 0),
    10_002,
  )
  assert.ok(report.safeParse({ type: 'counters', counters: {}, trunks: rows }).success)
  // What is summed up has no pattern in common.
  for (const callId of ['one', 'two']) {
    const pattern = { first: 'event', second: 'in-band', lagMs: 300 } as const
    trunks.of('sales', '10.1.1.1').slowNews(callId, { type: 'slow', pattern })
  }
  assert.equal(trunks.of('sales', '10.1.1.1').pattern, undefined)
})
