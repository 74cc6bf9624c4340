import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { controlLimits } from '../../lib/limits.ts'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import { syncTenants } from '../store/tenants.ts'
import { type Answer, Harness, KEY, OTHER_KEY, ORIGIN, tenants } from '../testing/harness.test-kit.ts'

const codeOf = ({ body }: Answer): string => (body as unknown as { error: { code: string } }).error.code

async function tokenFor(control: Harness, callId: string): Promise<string> {
  const { status, body } = await control.call('POST', `/v1/calls/${callId}/widget-tokens`, { body: {} })
  assert.equal(status, 201)
  return (body as unknown as { token: string }).token
}

test('only a known key opens the API; nothing in the answer tells how near a guess was', async () => {
  await using control = await Harness.start()
  assert.equal((await control.call('GET', '/v1/calls')).status, 200)
  const guesses = ['', 'x', KEY.slice(0, -1), `${KEY}x`, KEY.toUpperCase(), `tw_${KEY}`]
  for (const key of guesses) assert.equal(codeOf(await control.call('GET', '/v1/calls', { key })), 'UNAUTHORIZED')
  const basic = await control.call('GET', '/v1/calls', { key: '', headers: { authorization: `Basic ${KEY}` } })
  assert.equal(codeOf(basic), 'UNAUTHORIZED')
})

test("a merchant's key sees nothing of another merchant", async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  const paid = await control.call('POST', `/v1/captures/${captureId}/payments`, {
    body: { amountMinor: 1, currency: 'GBP', orderReference: 'A-1' },
    headers: { 'idempotency-key': 'key-number-one' },
  })
  const key = OTHER_KEY
  assert.deepEqual((await control.call('GET', '/v1/calls', { key })).body['calls'], [])
  assert.deepEqual((await control.call('GET', '/v1/payments', { key })).body['payments'], [])
  assert.deepEqual((await control.call('GET', `/v1/payments?callId=${callId}`, { key })).body['payments'], [])
  const paths: [string, string, string][] = [
    ['GET', `/v1/calls/${callId}`, 'CALL_UNKNOWN'],
    ['GET', `/v1/calls/${callId}/events`, 'CALL_UNKNOWN'],
    ['POST', `/v1/calls/${callId}/hang-up`, 'CALL_UNKNOWN'],
    ['POST', `/v1/calls/${callId}/widget-tokens`, 'CALL_UNKNOWN'],
    ['GET', `/v1/captures/${captureId}`, 'CAPTURE_UNKNOWN'],
    ['POST', `/v1/captures/${captureId}/cancel`, 'CAPTURE_UNKNOWN'],
    ['POST', `/v1/captures/${captureId}/reset`, 'CAPTURE_UNKNOWN'],
    ['POST', `/v1/captures/${captureId}/fields/expiry/request`, 'CAPTURE_UNKNOWN'],
    ['GET', `/v1/payments/${String(paid.body['paymentId'])}`, 'PAYMENT_UNKNOWN'],
  ]
  for (const [method, path, code] of paths) assert.equal(codeOf(await control.call(method, path, { key })), code, path)
})

test("a widget token takes a payment on its call, and reaches no other call and none of the merchant's business", async () => {
  await using control = await Harness.start()
  const mine = await control.readyCapture()
  const other = await control.readyCapture()
  const key = await tokenFor(control, mine.callId)
  const order = { amountMinor: 1, currency: 'GBP', orderReference: 'A-1' }
  const headers = { 'idempotency-key': 'key-number-one' }
  const body = order
  assert.equal((await control.call('GET', `/v1/calls/${mine.callId}`, { key })).status, 200)
  assert.equal(
    (await control.call('POST', `/v1/captures/${mine.captureId}/payments`, { key, body, headers })).status,
    202,
  )
  const list = await control.call('GET', `/v1/payments?callId=${other.callId}`, { key })
  const { payments } = list.body as unknown as { payments: { callId: string }[] }
  assert.deepEqual(
    payments.map(({ callId }) => callId),
    [mine.callId],
  )

  const refusals: [string, string, string][] = [
    ['GET', `/v1/calls/${other.callId}`, 'FORBIDDEN'],
    ['GET', `/v1/calls/${other.callId}/events`, 'FORBIDDEN'],
    ['GET', '/v1/calls/NOSUCHCALLXXXXXXXX', 'FORBIDDEN'],
    ['GET', '/v1/calls', 'FORBIDDEN'],
    ['GET', '/v1/events', 'FORBIDDEN'],
    ['POST', `/v1/calls/${mine.callId}/hang-up`, 'FORBIDDEN'],
    ['POST', `/v1/calls/${mine.callId}/widget-tokens`, 'FORBIDDEN'],
    ['GET', `/v1/captures/${other.captureId}`, 'CAPTURE_UNKNOWN'],
    ['POST', `/v1/captures/${other.captureId}/cancel`, 'CAPTURE_UNKNOWN'],
  ]
  for (const [method, path, code] of refusals)
    assert.equal(codeOf(await control.call(method, path, { key })), code, path)
})

test('a widget token dies after half an hour; a changed one never lived', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const key = await tokenFor(control, callId)
  const path = `/v1/calls/${callId}`
  assert.equal((await control.call('GET', path, { key })).status, 200)
  const changed = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a')
  assert.equal((await control.call('GET', path, { key: changed })).status, 401)
  control.time.advance(controlLimits.widgetTokenMs - 1)
  assert.equal((await control.call('GET', path, { key })).status, 200)
  control.time.advance(1)
  assert.equal((await control.call('GET', path, { key })).status, 401)
})

test('no secret is in the store or the log, and nothing there looks like a card number', async () => {
  await using control = await Harness.start()
  const { callId } = await control.readyCapture()
  const tokens = [await tokenFor(control, callId), await tokenFor(control, callId)]
  for (const key of tokens) await control.call('GET', `/v1/calls/${callId}`, { key })
  const kept = readFileSync(control.file, 'latin1') + readFileSync(`${control.file}-wal`, 'latin1')
  const said = kept + control.logLines.join('')
  for (const secret of [KEY, OTHER_KEY, ...tokens.map((token) => token.split('.')[1] ?? '')]) {
    assert.ok(!said.includes(secret))
  }
  assert.equal(findCardNumber(said), -1)
})

test('a call cannot hold any number of live tokens', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  for (let i = 0; i < controlLimits.widgetTokensPerCallMax; i++) await tokenFor(control, callId)
  const path = `/v1/calls/${callId}/widget-tokens`
  assert.equal(codeOf(await control.call('POST', path)), 'TOO_MANY')
  control.time.advance(controlLimits.widgetTokenMs)
  await tokenFor(control, callId)
})

test('a key that left the configuration stops working; numbers and accounts that left keep their history', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const order = { amountMinor: 1, currency: 'GBP', orderReference: 'A-1' }
  await syncTenants(control.store, {
    ...tenants,
    numbers: [],
    gatewayAccounts: [],
    apiKeys: tenants.apiKeys.slice(0, 1),
  })
  assert.equal((await control.call('GET', '/v1/calls', { key: OTHER_KEY })).status, 401)
  assert.equal((await control.call('GET', `/v1/captures/${captureId}`)).status, 200)
  const refused = await control.call('POST', `/v1/captures/${captureId}/payments`, {
    body: order,
    headers: { 'idempotency-key': 'key-number-one' },
  })
  assert.equal(codeOf(refused), 'GATEWAY_ACCOUNT_UNKNOWN')
})

test('a page of an allowed origin may call; another origin gets no permission', async () => {
  await using control = await Harness.start()
  const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
  const allowed = await control.call('OPTIONS', '/v1/payments', { key: '', headers: { ...asks, origin: ORIGIN } })
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), ORIGIN)
  assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /Idempotency-Key, Last-Event-ID/)
  for (const origin of ['https://evil.example', `${ORIGIN}.evil.example`, 'null', ORIGIN.toUpperCase()]) {
    const refused = await control.call('OPTIONS', '/v1/payments', { key: '', headers: { ...asks, origin } })
    assert.equal(refused.headers.get('access-control-allow-origin'), null, origin)
    const plain = await control.call('GET', '/v1/payments', { headers: { origin } })
    assert.equal(plain.headers.get('access-control-allow-origin'), null, origin)
  }
  const error = await control.call('GET', '/v1/payments', { key: 'wrong', headers: { origin: ORIGIN } })
  assert.equal(error.headers.get('access-control-allow-origin'), ORIGIN)
})
