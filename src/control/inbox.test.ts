import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../lib/ids.ts'
import { Harness } from './testing/harness.test-kit.ts'

test('a report that cannot be written costs only itself, and its line in the log names nothing but its type', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  // A trigger of the database stands for whatever may go wrong with one row.
  await control.store.db.executeQuery({
    ...control.store.db.selectFrom('call').selectAll().compile(),
    sql: `create trigger no_fives before insert on event when new.data = '{"count":5}'
      begin select raise(abort, 'planted 4242424242424242'); end`,
    parameters: [],
  })
  for (let count = 1; count <= 10; count++) control.cde.report({ type: 'keys-dropped', callId, count })
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('type', '=', 'keys.dropped').execute()
  assert.deepEqual(
    rows.map(({ data }) => data),
    [1, 2, 3, 4, 6, 7, 8, 9, 10].map((count) => JSON.stringify({ count })),
  )
  const line = control.logLines.filter((entry) => entry.includes('report not recorded'))
  assert.equal(line.length, 1)
  assert.match(line[0] ?? '', /"report":"keys-dropped"/)
  assert.equal(control.leaks, 0)
})

test('reports that wait are written together, in their order', async () => {
  await using control = await Harness.start()
  const calls = Array.from({ length: 200 }, () => newId(control.random))
  for (const callId of calls) control.cde.report({ type: 'call-started', callId, number: 'sales', headers: [] })
  for (const callId of calls) control.cde.report({ type: 'call-answered', callId })
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('call_id', 'is not', null).execute()
  const inOrder = rows.sort((a, b) => a.seq - b.seq).map(({ type, call_id: callId }) => [type, callId])
  assert.deepEqual(inOrder, [
    ...calls.map((callId) => ['call.started', callId]),
    ...calls.map((callId) => ['call.answered', callId]),
  ])
})

test("the CDE's totals become metrics, bounded in number", async () => {
  await using control = await Harness.start()
  const many = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`n${i}`, i]))
  control.cde.report({ type: 'counters', counters: { sip_stray_response: 3 } })
  control.cde.report({ type: 'counters', counters: many })
  await control.control.settled()
  const { text } = await control.call('GET', '/metrics', { key: '' })
  assert.match(text, /tonewall_cde_counter\{name="sip_stray_response"\} 3/)
  assert.equal(text.match(/^tonewall_cde_counter\{/gm)?.length, 512)
})
