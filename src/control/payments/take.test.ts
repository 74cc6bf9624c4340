import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, Harness, OTHER_KEY } from '../testing/harness.test-kit.ts'

const ORDER = { amountMinor: 4_250, currency: 'GBP', orderReference: 'A-1' }

async function pay(control: Harness, captureId: string, key: string, order: object = ORDER): Promise<Answer> {
  const headers = { 'idempotency-key': key }
  return control.call('POST', `/v1/captures/${captureId}/payments`, { body: order, headers })
}

const codeOf = ({ body }: Answer): string => (body as unknown as { error: { code: string } }).error.code
const stateOf = ({ body }: Answer): unknown => body['state']

/** The CDE's answer to the newest submit order, then the end of the capture. */
async function answer(control: Harness, outcome: 'approved' | 'declined'): Promise<void> {
  const order = control.cde.ordersOf('submit').at(-1) ?? assert.fail('no order')
  const { attemptId, captureId, amountMinor } = order
  const word =
    outcome === 'approved'
      ? ({ kind: 'approved', gatewayId: 'gw', authCode: 'A9', captured: true, amountMinor } as const)
      : ({ kind: 'declined', code: 'insufficient_funds', advice: 'other_card' } as const)
  control.cde.report({ type: 'submit-result', attemptId, outcome: word })
  control.cde.report({ type: 'capture-closed', captureId, reason: 'submitted' })
  await control.control.settled()
}

test('a submit with a field missing names the fields and sends nothing', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const states = [
    { field: 'expiry', state: 'error', count: 0, error: 'expired' },
    { field: 'securityCode', state: 'collecting', count: 1 },
  ] as const
  for (const state of states) control.cde.report({ type: 'field', captureId, ...state })
  await control.control.settled()
  const refused = await pay(control, captureId, 'key-number-one')
  assert.equal(refused.status, 409)
  assert.equal(codeOf(refused), 'FIELD_MISSING')
  assert.match(refused.text, /"details":\{"fields":\["expiry","securityCode"\]\}/)
  assert.equal(control.cde.ordersOf('submit').length, 0)
})

test('approved: the payment carries brand, last four and authorisation code, and the order goes over the wall once', async () => {
  await using control = await Harness.start()
  const { captureId, callId } = await control.readyCapture()
  const taken = await pay(control, captureId, 'key-number-one')
  assert.equal(taken.status, 202)
  assert.equal(stateOf(taken), 'submitting')
  await answer(control, 'approved')
  const { body } = await control.call('GET', `/v1/payments/${String(taken.body['paymentId'])}`)
  const { state, brand, lastFour, authCode, attempts, message } = body
  assert.deepEqual(
    [state, brand, lastFour, authCode, attempts, message],
    ['approved', 'visa', '4242', 'A9', 1, 'Approved.'],
  )
  const [order, ...more] = control.cde.ordersOf('submit')
  assert.equal(more.length, 0)
  assert.equal(order?.reference, body['reference'])
  assert.equal(order?.gatewayAccount, 'sandbox')
  const live = await control.call('GET', `/v1/calls/${callId}`)
  assert.equal(live.body['captureId'], undefined)
})

test('declined: the agent reads what to do, and another card may be tried on the same order', async () => {
  await using control = await Harness.start()
  const { captureId, callId } = await control.readyCapture()
  const first = await pay(control, captureId, 'key-number-one')
  await answer(control, 'declined')
  const declined = await control.call('GET', `/v1/payments/${String(first.body['paymentId'])}`)
  assert.deepEqual(declined.body['decline'], {
    code: 'insufficient_funds',
    advice: 'other_card',
    message: 'Not enough money on this card. Ask for another card.',
  })
  const again = await control.readyCapture(callId)
  const second = await pay(control, again.captureId, 'key-number-two')
  assert.equal(second.status, 202)
  assert.equal(second.body['attempts'], 2)
  assert.notEqual(second.body['reference'], first.body['reference'])
  await answer(control, 'approved')
  const { body } = await control.call('GET', `/v1/payments?callId=${callId}`)
  const { payments } = body as unknown as { payments: { state: string }[] }
  assert.deepEqual(payments.map(({ state }) => state).sort(), ['approved', 'declined'])
})

test('a repeated request gets the first answer and charges nothing; another body under its key is refused', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const first = await pay(control, captureId, 'key-number-one')
  const repeated = await pay(control, captureId, 'key-number-one')
  assert.deepEqual(repeated.body, first.body)
  assert.equal(repeated.headers.get('idempotent-replayed'), 'true')
  const other = await pay(control, captureId, 'key-number-one', { ...ORDER, amountMinor: 1 })
  assert.equal(codeOf(other), 'IDEMPOTENCY_KEY_REUSED')
  await answer(control, 'approved')
  assert.deepEqual((await pay(control, captureId, 'key-number-one')).body, first.body)
  assert.equal(control.cde.ordersOf('submit').length, 1)
})

test("a key and body that belong to another call's payment are no way to read it", async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  await pay(control, captureId, 'key-number-one')
  const other = await control.answeredCall()
  const { body } = await control.call('POST', `/v1/calls/${other}/widget-tokens`, { body: {} })
  const answered = await control.call('POST', `/v1/captures/${captureId}/payments`, {
    key: String(body['token']),
    body: ORDER,
    headers: { 'idempotency-key': 'key-number-one' },
  })
  assert.equal(codeOf(answered), 'CAPTURE_UNKNOWN')
  assert.equal(answered.headers.get('idempotent-replayed'), null)
})

test('two desks that pay at the same moment: one charge, whether they share a key or not', async () => {
  for (const keys of [
    ['key-number-one', 'key-number-one'],
    ['key-number-one', 'key-number-two'],
  ]) {
    await using control = await Harness.start()
    const { captureId } = await control.readyCapture()
    const other = await control.readyCapture()
    const captures = keys[0] === keys[1] ? [captureId, captureId] : [captureId, other.captureId]
    const answers = await Promise.all(keys.map((key, i) => pay(control, captures[i] ?? '', key)))
    assert.equal(control.cde.ordersOf('submit').length, 1)
    const codes = answers.map(({ status }) => status).sort((a, b) => a - b)
    assert.deepEqual(codes, keys[0] === keys[1] ? [202, 202] : [202, 409])
  }
})

test('the wall is full: nothing was sent, the payment says so, and the same key may try again', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  control.cde.accepts = false
  const refused = await pay(control, captureId, 'key-number-one')
  assert.equal(codeOf(refused), 'CDE_DOWN')
  const { body } = await control.call('GET', '/v1/payments')
  assert.match(JSON.stringify(body), /"state":"not-sent"/)
  control.cde.accepts = true
  const again = await pay(control, captureId, 'key-number-one')
  assert.equal(again.status, 202)
  assert.equal(again.headers.get('idempotent-replayed'), null)
  assert.equal(control.cde.ordersOf('submit').length, 1)
})

test('a refusal of the submit order by the CDE ends the attempt as never sent', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const taken = await pay(control, captureId, 'key-number-one')
  const [order] = control.cde.ordersOf('submit')
  control.cde.report({ type: 'submit-refused', attemptId: order?.attemptId ?? '', code: 'FIELD_MISSING' })
  await control.control.settled()
  const { body } = await control.call('GET', `/v1/payments/${String(taken.body['paymentId'])}`)
  assert.equal(body['state'], 'not-sent')
  // The CDE still holds the card: the agent may correct the field and charge again.
  assert.equal((await pay(control, captureId, 'key-number-two')).status, 202)
})

test('what cannot be paid is refused with its own code', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const path = `/v1/captures/${captureId}/payments`
  assert.equal(codeOf(await control.call('POST', path, { body: ORDER })), 'IDEMPOTENCY_KEY_MISSING')
  assert.equal(codeOf(await pay(control, 'NOSUCHCAPTUREXXXXX', 'key-number-one')), 'CAPTURE_UNKNOWN')
  for (const gatewayAccount of ['nowhere', 'elsewhere']) {
    const refused = await pay(control, captureId, 'key-number-one', { ...ORDER, gatewayAccount })
    assert.equal(codeOf(refused), 'GATEWAY_ACCOUNT_UNKNOWN', gatewayAccount)
  }
  const theirs = await control.call('POST', path, {
    key: OTHER_KEY,
    body: ORDER,
    headers: { 'idempotency-key': 'key-number-one' },
  })
  assert.equal(codeOf(theirs), 'CAPTURE_UNKNOWN')
  await pay(control, captureId, 'key-number-one')
  const twice = await pay(control, captureId, 'key-number-two', { ...ORDER, orderReference: 'A-2' })
  assert.equal(codeOf(twice), 'CAPTURE_CLOSED')
  control.cde.die()
  assert.equal(codeOf(await control.call('GET', '/v1/payments/NOSUCHPAYMENTXXXXX')), 'PAYMENT_UNKNOWN')
})
