import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlLimits } from '../../lib/limits.ts'
import { Harness } from '../testing/harness.test-kit.ts'
import { eventView } from './event-stream.ts'
import { event } from './event-schemas.ts'

const leg = { packets: 970, lost: 30, jitterMicroseconds: 4_250, jitterMaxMicroseconds: 21_000, sentPackets: 400 }

/** Everything that a call may meet. @returns all events as the stream shows them */
async function eventfulCall(control: Harness): Promise<Record<string, unknown>[]> {
  const { callId, captureId } = await control.readyCapture()
  const { cde } = control
  cde.report({ type: 'line-secured', captureId })
  for (const state of ['silent', 'heard'] as const) cde.report({ type: 'caller-sound', callId, state })
  for (const on of [true, false]) cde.report({ type: 'slow-mode', callId, on })
  const field = { type: 'field', captureId, field: 'expiry' } as const
  cde.report({ ...field, state: 'collecting', count: 2, expected: 4, uncertain: { why: 'too-short', at: 2 } })
  cde.report({ ...field, state: 'error', count: 4, error: 'uncertain-key' })
  cde.report({ ...field, state: 'valid', count: 4 })
  cde.report({ type: 'keys-dropped', callId, count: 3 })
  await control.control.settled()
  const body = { amountMinor: 1_250, currency: 'GBP', orderReference: 'A-1' }
  const headers = { 'idempotency-key': 'one-payment' }
  const paid = await control.call('POST', `/v1/captures/${captureId}/payments`, { body, headers })
  assert.equal(paid.status, 202)
  const submit = cde.orders.find((order) => order.type === 'submit')
  assert.ok(submit?.type === 'submit')
  const outcome = { kind: 'declined', code: 'insufficient_funds', advice: 'other_card' } as const
  cde.report({ type: 'submit-result', attemptId: submit.attemptId, outcome })
  cde.report({ type: 'capture-closed', captureId, reason: 'submitted' })
  cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  cde.report({ type: 'call-quality', callId, isFinal: true, quality: { caller: leg, agent: { ...leg, farLost: 7 } } })
  await control.control.settled()
  await control.readyCapture()
  cde.die()
  cde.revive()
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('merchant_id', '=', 'shop').execute()
  return rows.map(eventView)
}

test('every event is as the OpenAPI document says, and every event that it describes is written', async () => {
  await using control = await Harness.start()
  const events = await eventfulCall(control)
  for (const said of events) {
    const parsed = event.safeParse(said)
    assert.ok(parsed.success, `${String(said['type'])}: ${JSON.stringify(parsed.error?.issues)}`)
  }
  const described = event.options.map(({ shape }) => shape.type.value)
  assert.deepEqual(new Set(events.map(({ type }) => type)), new Set(described))
  assert.ok(events.length < controlLimits.streamReplayRowsMax)
})
