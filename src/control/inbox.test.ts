import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../lib/ids.ts'
import { controlLimits } from '../lib/limits.ts'
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

async function execute(control: Harness, sql: string): Promise<void> {
  const { db } = control.store
  await db.executeQuery({ ...db.selectFrom('call').selectAll().compile(), sql, parameters: [] })
}

/** Until the log has said so; the requests in between give way to what else is to be done. */
async function said(control: Harness, words: string): Promise<void> {
  while (!control.logLines.some((line) => line.includes(words))) await control.call('GET', '/healthz', { key: '' })
}

test('while the disk is full the reports wait, and all are written in their order when it is not', async () => {
  await using control = await Harness.start()
  const live = await control.answeredCall()
  // SQLite takes the smallest possible bound, the present size, for a smaller one.
  await execute(control, 'pragma max_page_count = 1')
  const headers = Array.from({ length: 8 }, (_, i) => ({ name: `X-H${i}`, value: 'x'.repeat(1_000) }))
  const calls = Array.from({ length: 100 }, () => newId(control.random))
  for (const callId of calls) control.cde.report({ type: 'call-started', callId, number: 'sales', headers })
  control.cde.report({ type: 'call-ended', callId: live, result: 'success', reason: 'caller-hung-up' })
  await said(control, 'they wait')
  // As often as it is tried meanwhile.
  for (let i = 0; i < 20; i++) {
    control.time.advance(controlLimits.reportRetryMsMax)
    await control.call('GET', '/healthz', { key: '' })
  }
  await execute(control, 'pragma max_page_count = 1000000')
  control.time.advance(controlLimits.reportRetryMsMax)
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().orderBy('seq').execute()
  const started = rows.filter(({ type, call_id: callId }) => type === 'call.started' && callId !== live)
  assert.deepEqual(
    started.map(({ call_id: callId }) => callId),
    calls,
  )
  assert.equal((await control.call('GET', `/v1/calls/${live}`)).body['state'], 'ended')
})

test('the API may be flooded: what the CDE reports is written all the same, and soon', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const gate = Promise.withResolvers<void>()
  const done: string[] = []
  const flood = Array.from({ length: controlLimits.transactionsWaitingMax }, (_, i) =>
    control.store.transact(async () => {
      await gate.promise
      done.push(String(i))
    }),
  )
  control.cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  const written = control.control.settled().then(() => done.length)
  gate.resolve()
  await Promise.all(flood)
  assert.ok((await written) < 10)
  assert.equal((await control.call('GET', `/v1/calls/${callId}`)).body['state'], 'ended')
})

test('the end of a call that the store does not take is tried again; in the end it costs only itself', async () => {
  await using control = await Harness.start()
  const [first, second] = [await control.answeredCall(), await control.answeredCall()]
  await execute(
    control,
    `create trigger no_end before update on call when new.id = '${first}' begin select raise(abort, 'planted'); end`,
  )
  for (const callId of [first, second]) {
    control.cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  }
  await said(control, 'they wait')
  while (!control.logLines.some((line) => line.includes('report not recorded'))) {
    control.time.advance(controlLimits.reportRetryMsMax)
    await control.call('GET', '/healthz', { key: '' })
  }
  await control.control.settled()
  assert.equal((await control.call('GET', `/v1/calls/${second}`)).body['state'], 'ended')
})

test('the end of control does not wait for a store that takes nothing', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  await execute(control, `create trigger no_end before update on call begin select raise(abort, 'planted'); end`)
  control.cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  await said(control, 'they wait')
  await control.control.close()
  assert.ok(control.logLines.some((line) => line.includes('report not recorded')))
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

test("a trunk's keys are shown by what became of them; what a new CDE does not tell of is gone", async () => {
  await using control = await Harness.start()
  const trunk = { number: 'sales', source: '192.0.2.1', reported: 40, lost: 1, doubled: 16, uncertain: 2, slow: true }
  control.cde.report({ type: 'counters', counters: {}, trunks: [trunk] })
  await control.control.settled()
  const { text } = await control.call('GET', '/metrics')
  const row = (outcome: string): string => `tonewall_trunk_keys{number="sales",source="192.0.2.1",outcome="${outcome}"}`
  for (const line of ['reported', 'lost', 'doubled', 'uncertain'] as const) {
    assert.ok(text.includes(`${row(line)} ${trunk[line]}`), line)
  }
  assert.ok(text.includes('tonewall_trunk_slow{number="sales",source="192.0.2.1"} 1'))
  control.cde.report({ type: 'counters', counters: {}, trunks: [] })
  await control.control.settled()
  assert.doesNotMatch((await control.call('GET', '/metrics')).text, /192\.0\.2\.1/)
})

test('a line that sends every key twice is an event of its call, and so is its end', async () => {
  await using control = await Harness.start()
  const { callId } = await control.readyCapture()
  for (const on of [true, false]) control.cde.report({ type: 'slow-mode', callId, on })
  control.cde.report({ type: 'slow-mode', callId: newId(control.random), on: true })
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('type', '=', 'line.slow').execute()
  assert.deepEqual(
    rows.map(({ call_id, data }) => [call_id, JSON.parse(data) as unknown]),
    [
      [callId, { on: true }],
      [callId, { on: false }],
    ],
  )
})
