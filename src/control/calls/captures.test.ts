import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlLimits } from '../../lib/limits.ts'
import { newId } from '../../lib/ids.ts'
import { type Answer, Harness, OTHER_KEY } from '../testing/harness.test-kit.ts'

const codeOf = ({ body }: Answer): string => (body as unknown as { error: { code: string } }).error.code

async function start(control: Harness, callId: string, body: object = { mode: 'field' }): Promise<Answer> {
  return control.call('POST', `/v1/calls/${callId}/captures`, { body })
}

test('a capture on an unknown, ringing or ended call is refused before the CDE is asked', async () => {
  await using control = await Harness.start()
  assert.equal(codeOf(await start(control, newId(control.random))), 'CALL_UNKNOWN')
  const callId = newId(control.random)
  control.cde.report({ type: 'call-started', callId, number: 'sales', headers: [] })
  await control.control.settled()
  assert.equal(codeOf(await start(control, callId)), 'CALL_NOT_ANSWERED')
  control.cde.report({ type: 'call-answered', callId })
  control.cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  await control.control.settled()
  assert.equal(codeOf(await start(control, callId)), 'CALL_ENDED')
  assert.equal(control.cde.orders.length, 0)
})

test("another merchant's call is unknown", async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const refused = await control.call('POST', `/v1/calls/${callId}/captures`, {
    key: OTHER_KEY,
    body: { mode: 'field' },
  })
  assert.equal(codeOf(refused), 'CALL_UNKNOWN')
})

test('a second capture on the call is refused, also when both come at the same moment', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  const refused = await start(control, callId)
  assert.equal(codeOf(refused), 'CAPTURE_EXISTS')
  assert.match(refused.text, new RegExp(captureId))

  const other = await control.answeredCall()
  const both = await Promise.all([start(control, other), start(control, other)])
  assert.deepEqual(
    both.map(({ status }) => status).sort((a, b) => a - b),
    [201, 409],
  )
})

test('the fields asked for go to the CDE; the usual three when none are named', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  assert.deepEqual(control.cde.ordersOf('capture-start')[0]?.fields, ['cardNumber', 'expiry', 'securityCode'])
  control.cde.report({ type: 'capture-closed', captureId, reason: 'cancelled' })
  await control.control.settled()
  const { status, body } = await start(control, callId, { mode: 'continuous', fields: ['loyaltyNumber'] })
  assert.equal(status, 201)
  assert.deepEqual(body['fields'], [{ field: 'loyaltyNumber', state: 'idle', count: 0 }])
  assert.equal((await start(control, callId, { mode: 'field', fields: ['expiry', 'expiry'] })).status, 400)
})

test("the CDE's refusal is the API's, and leaves nothing open", async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  control.cde.answer = (order) => {
    if (order.type !== 'capture-start') return
    control.cde.report({ type: 'capture-refused', captureId: order.captureId, code: 'FIELD_UNKNOWN' })
  }
  assert.equal(codeOf(await start(control, callId, { mode: 'field', fields: ['nonsense'] })), 'FIELD_UNKNOWN')
  const { captureId } = await control.readyCapture(callId)
  assert.equal((await control.call('GET', `/v1/captures/${captureId}`)).status, 200)
})

/** Waits until the CDE has got an order of this type. */
async function ordered(control: Harness, type: 'capture-start'): Promise<string> {
  for (;;) {
    const order = control.cde.ordersOf(type).at(-1)
    if (order !== undefined) return order.captureId
    await control.call('GET', '/healthz')
  }
}

test('a CDE that does not answer: CDE_DOWN after the limit, the capture is cancelled, and a late word opens nothing', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const waiting = start(control, callId)
  const captureId = await ordered(control, 'capture-start')
  control.time.advance(controlLimits.captureStartMs)
  assert.equal(codeOf(await waiting), 'CDE_DOWN')
  assert.deepEqual(control.cde.ordersOf('capture-cancel'), [{ type: 'capture-cancel', captureId }])
  control.cde.report({ type: 'capture-started', captureId })
  await control.control.settled()
  const { body } = await control.call('GET', `/v1/captures/${captureId}`)
  assert.deepEqual([body['state'], body['closeReason']], ['closed', 'not-started'])
})

test('the line is secured: said once per report, for a capture that is open', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const waiting = start(control, callId)
  const captureId = await ordered(control, 'capture-start')
  control.cde.report({ type: 'capture-started', captureId })
  await waiting
  control.cde.report({ type: 'line-secured', captureId })
  control.cde.report({ type: 'line-secured', captureId })
  control.cde.report({ type: 'line-secured', captureId: callId })
  control.cde.report({ type: 'capture-closed', captureId, reason: 'cancelled' })
  control.cde.report({ type: 'line-secured', captureId })
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('call_id', '=', callId).execute()
  assert.deepEqual(
    rows.sort((a, b) => a.seq - b.seq).flatMap(({ type }) => (type.startsWith('capture.') ? [type] : [])),
    ['capture.started', 'capture.secured', 'capture.closed'],
  )
  const { body } = await control.call('GET', `/v1/captures/${captureId}`)
  assert.equal(body['secured'], true)
})

test('the confirmation is on its way when the wait is over: who read that it started reads that it closed', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const waiting = start(control, callId)
  const captureId = await ordered(control, 'capture-start')
  const gate = Promise.withResolvers<void>()
  const busy = control.store.transact(() => gate.promise)
  control.cde.report({ type: 'capture-started', captureId })
  // The inbox has taken the report and waits for the store.
  await control.call('GET', '/healthz')
  control.time.advance(controlLimits.captureStartMs)
  gate.resolve()
  await busy
  assert.equal(codeOf(await waiting), 'CDE_DOWN')
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('call_id', '=', callId).execute()
  assert.deepEqual(
    rows.sort((a, b) => a.seq - b.seq).flatMap(({ type }) => (type.startsWith('capture.') ? [type] : [])),
    ['capture.started', 'capture.closed'],
  )
  const { body } = await control.call('GET', `/v1/captures/${captureId}`)
  assert.deepEqual([body['state'], body['closeReason']], ['closed', 'not-started'])
})

test('the CDE dies while a capture is being started: CDE_DOWN at once', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const waiting = start(control, callId)
  await ordered(control, 'capture-start')
  control.cde.die()
  assert.equal(codeOf(await waiting), 'CDE_DOWN')
  control.cde.revive()
  await control.control.settled()
  assert.equal(codeOf(await start(control, callId)), 'CALL_ENDED')
})

test('the CDE is down: no capture, no order to one', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  control.cde.accepts = false
  for (const path of ['fields/expiry/request', 'fields/expiry/reset', 'reset', 'cancel']) {
    assert.equal(codeOf(await control.call('POST', `/v1/captures/${captureId}/${path}`)), 'CDE_DOWN', path)
  }
  assert.equal(codeOf(await control.call('POST', `/v1/calls/${callId}/hang-up`)), 'CDE_DOWN')
})

test('each order of the agent becomes one order to the CDE', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  for (const path of ['fields/expiry/request', 'fields/expiry/reset', 'reset', 'cancel']) {
    const { status, body } = await control.call('POST', `/v1/captures/${captureId}/${path}`, { body: {} })
    assert.equal(status, 202, path)
    assert.equal(body['captureId'], captureId)
  }
  assert.equal((await control.call('POST', `/v1/calls/${callId}/hang-up`)).status, 202)
  assert.deepEqual(control.cde.orders.slice(1), [
    { type: 'field-request', captureId, field: 'expiry' },
    { type: 'field-reset', captureId, field: 'expiry' },
    { type: 'field-reset', captureId },
    { type: 'capture-cancel', captureId },
    { type: 'hang-up', callId },
  ])
})

test('orders to what is not there are refused', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const request = (id: string, field: string) => control.call('POST', `/v1/captures/${id}/fields/${field}/request`)
  assert.equal(codeOf(await request(captureId, 'nonsense')), 'FIELD_UNKNOWN')
  assert.equal(codeOf(await request('NOSUCHCAPTUREXXXXX', 'expiry')), 'CAPTURE_UNKNOWN')
  control.cde.report({ type: 'capture-closed', captureId, reason: 'timed-out' })
  await control.control.settled()
  assert.equal(codeOf(await request(captureId, 'expiry')), 'CAPTURE_CLOSED')
  const { body } = await control.call('GET', `/v1/captures/${captureId}`)
  assert.deepEqual([body['state'], body['closeReason']], ['closed', 'timed-out'])
})

test('the call ends with a capture open: both are over, and late reports about them change nothing', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  control.cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  control.cde.report({ type: 'field', captureId, field: 'expiry', state: 'idle', count: 0 })
  control.cde.report({ type: 'capture-closed', captureId, reason: 'call-ended' })
  control.cde.report({ type: 'call-answered', callId })
  await control.control.settled()
  const { body } = await control.call('GET', `/v1/captures/${captureId}`)
  assert.deepEqual([body['state'], body['closeReason']], ['closed', 'call-ended'])
  const { text } = await control.call('GET', '/metrics')
  assert.match(text, /tonewall_ignored_total\{what="field",why="capture-closed"\} 1/)
  assert.match(text, /tonewall_ignored_total\{what="call-answered",why="not-ringing"\} 1/)
})

test('a key that was not clear is shown with its field, is one event, and is gone when the field is asked for again', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const field = { type: 'field', captureId, field: 'expiry' } as const
  const uncertain = { why: 'too-short', at: 2 } as const
  const shown = async () => {
    await control.control.settled()
    const { body } = await control.call('GET', `/v1/captures/${captureId}`)
    return (body['fields'] as unknown as { field: string }[]).find((each) => each.field === 'expiry')
  }
  for (const count of [2, 3]) control.cde.report({ ...field, state: 'collecting', count, uncertain })
  assert.deepEqual(await shown(), { field: 'expiry', state: 'collecting', count: 3, uncertain })
  control.cde.report({ ...field, state: 'error', count: 4, error: 'uncertain-key' })
  control.cde.report({ ...field, state: 'requested', count: 0 })
  assert.deepEqual(await shown(), { field: 'expiry', state: 'requested', count: 0 })
  control.cde.report({ ...field, state: 'collecting', count: 1, uncertain: { why: 'carriages-differ' } })
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('type', '=', 'key.uncertain').execute()
  assert.deepEqual(
    rows.map(({ data }) => JSON.parse(data) as unknown),
    [
      { captureId, field: 'expiry', ...uncertain },
      { captureId, field: 'expiry', why: 'carriages-differ' },
    ],
  )
})

test('the CDE dies: live captures and calls are lost, and a new call works when it is back', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  control.cde.die()
  await control.control.settled()
  const { body } = await control.call('GET', `/v1/captures/${captureId}`)
  assert.deepEqual([body['state'], body['closeReason']], ['closed', 'lost'])
  const call = await control.call('GET', `/v1/calls/${callId}`)
  assert.deepEqual([call.body['state'], call.body['result'], call.body['reason']], ['ended', 'server', 'lost'])
  assert.equal((await control.call('GET', '/healthz')).body['cde'], 'down')
  control.cde.revive()
  await control.readyCapture()
})

test('reports of calls to a number that nobody owns, and of calls never heard of, change nothing', async () => {
  await using control = await Harness.start()
  const callId = newId(control.random)
  control.cde.report({ type: 'call-started', callId, number: 'unowned', headers: [] })
  control.cde.report({ type: 'call-answered', callId })
  control.cde.report({ type: 'call-ended', callId, result: 'unknown', reason: 'failed' })
  control.cde.report({ type: 'keys-dropped', callId, count: 1 })
  control.cde.report({ type: 'capture-started', captureId: callId })
  control.cde.report({ type: 'capture-closed', captureId: callId, reason: 'cancelled' })
  control.cde.report({ type: 'submit-result', attemptId: callId, outcome: { kind: 'unknown', why: 'timeout' } })
  await control.control.settled()
  assert.deepEqual((await control.call('GET', '/v1/calls')).body['calls'], [])
  assert.ok(!control.logLines.some((line) => line.includes('not recorded')))
})
