import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { errorCodes } from '../../lib/errors.ts'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import { type Answer, Harness, KEY } from '../testing/harness.test-kit.ts'

const PAN = '4242424242424242'

test('docs/reference/errors.md lists exactly the codes of lib/errors.ts, with their statuses and messages', () => {
  const page = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (.+?) \|$/gm)]
  const listed = rows.map(([, code, status, message]) => `${code} ${status} ${message}`)
  const wanted = Object.entries(errorCodes).map(([code, [status, message]]) => `${code} ${status} ${message}`)
  assert.deepEqual(listed.sort(), wanted.sort())
})

function assertSilent(answer: Answer, harness: Harness, what: string): void {
  const said = answer.text + JSON.stringify([...answer.headers])
  assert.ok(!said.includes(PAN), `${what}: the answer repeats the number`)
  assert.equal(findCardNumber(said), -1, `${what}: the answer holds something like a number`)
  assert.ok(!harness.logLines.join('').includes(PAN), `${what}: the log repeats the number`)
  assert.equal(harness.leaks, 0, `${what}: a log line had to be withheld`)
}

test('a card number sent anywhere in a request comes back nowhere, and is in no log line', async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  const captures = `/v1/calls/${callId}/captures`
  const payments = `/v1/captures/${captureId}/payments`
  const order = { amountMinor: 100, currency: 'GBP', orderReference: 'A-1' }
  const key = { 'idempotency-key': 'key-number-one' }
  const tries: [string, string, string, Parameters<Harness['call']>[2], number][] = [
    ['unknown key', 'POST', captures, { body: { mode: 'field', [PAN]: 1 } }, 400],
    ['unknown nested key', 'POST', captures, { body: { mode: 'field', fields: [{ [PAN]: 1 }] } }, 400],
    ['value of an enum', 'POST', captures, { body: { mode: PAN } }, 400],
    ['field name', 'POST', captures, { body: { mode: 'field', fields: [PAN] } }, 400],
    ['broken JSON', 'POST', captures, { body: `{"mode":"${PAN}` }, 400],
    ['poisoned JSON', 'POST', captures, { body: `{"__proto__":{"${PAN}":1}}` }, 400],
    ['body that is no object', 'POST', captures, { body: PAN }, 400],
    ['order reference', 'POST', payments, { body: { ...order, orderReference: PAN }, headers: key }, 400],
    [
      'grouped order reference',
      'POST',
      payments,
      { body: { ...order, orderReference: '4242-4242-4242-4242' }, headers: key },
      400,
    ],
    ['amount', 'POST', payments, { body: { ...order, amountMinor: Number(PAN) }, headers: key }, 400],
    ['amount as text', 'POST', payments, { body: { ...order, amountMinor: PAN }, headers: key }, 400],
    ['currency', 'POST', payments, { body: { ...order, currency: PAN }, headers: key }, 400],
    ['gateway account', 'POST', payments, { body: { ...order, gatewayAccount: `a${PAN}` }, headers: key }, 400],
    ['idempotency key', 'POST', payments, { body: order, headers: { 'idempotency-key': PAN } }, 400],
    ['path', 'GET', `/${PAN}`, {}, 404],
    ['path under v1', 'GET', `/v1/${PAN}`, {}, 404],
    ['call id', 'GET', `/v1/calls/${PAN}`, {}, 404],
    ['long call id', 'GET', `/v1/calls/${PAN.repeat(8)}`, {}, 404],
    ['capture id', 'GET', `/v1/captures/${PAN}`, {}, 404],
    ['field in the path', 'POST', `/v1/captures/${captureId}/fields/${PAN}/request`, {}, 400],
    ['payment id', 'GET', `/v1/payments/${PAN}`, {}, 404],
    ['broken escape in the path', 'GET', `/v1/calls/%${PAN}%zz`, {}, 400],
    ['query value', 'GET', `/v1/calls?state=${PAN}`, {}, 400],
    ['query key', 'GET', `/v1/calls?${PAN}=1`, {}, 400],
    ['call id of a list', 'GET', `/v1/payments?callId=${PAN}`, {}, 200],
    ['key', 'GET', '/v1/calls', { key: PAN }, 401],
    ['widget token', 'GET', '/v1/calls', { key: `tw_${PAN}` }, 401],
    ['scheme', 'GET', '/v1/calls', { key: '', headers: { authorization: PAN } }, 401],
    ['content type', 'POST', captures, { body: '{}', headers: { 'content-type': `x/${PAN}` } }, 400],
    ['origin', 'GET', '/healthz', { headers: { origin: `https://${PAN}` } }, 200],
    ['any header', 'GET', '/healthz', { headers: { 'x-note': PAN, 'x-request-id': PAN } }, 200],
    ['last event id', 'GET', `/v1/calls/${PAN}/events`, { headers: { 'last-event-id': PAN } }, 404],
    ['method', 'DELETE', `/v1/calls/${PAN}`, {}, 404],
    ['preflight', 'OPTIONS', `/v1/${PAN}`, { headers: { 'access-control-request-method': PAN, origin: PAN } }, 204],
    ['too large a body', 'POST', captures, { body: { mode: PAN.repeat(2_000) } }, 413],
  ]
  for (const [what, method, path, options, status] of tries) {
    const answer = await control.call(method, path, options)
    assert.equal(answer.status, status, `${what}: ${answer.text}`)
    assertSilent(answer, control, what)
    if (status < 400) continue
    const { error } = answer.body as unknown as { error: { code: string; requestId: string } }
    assert.ok(error.code in errorCodes, `${what}: ${answer.text}`)
    assert.equal(error.requestId, answer.headers.get('x-request-id') ?? error.requestId, what)
  }
})

test('what is not HTTP gets a bare 400 and the connection is closed', async () => {
  await using control = await Harness.start()
  const { host, port } = control.control.address
  const said = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`GET /${PAN} ${PAN}\r\n\r\n`))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
  assert.match(said, /^HTTP\/1\.1 400 /)
  assert.ok(!said.includes(PAN))
})

test('a failure inside is INTERNAL with a request id that the log line has too, and nothing more', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  // The table vanishes under the running server: every statement on it fails with a message that quotes SQL.
  await control.store.db.schema.dropTable('capture_field').execute()
  const { status, body, text } = await control.call('POST', `/v1/calls/${callId}/captures`, { body: { mode: 'field' } })
  const { error } = body as unknown as { error: { code: string; requestId: string } }
  assert.equal(status, 500)
  assert.equal(error.code, 'INTERNAL')
  assert.doesNotMatch(text, /sqlite|table|capture_field/i)
  const line = control.logLines.find((entry) => entry.includes('request failed'))
  assert.ok(line !== undefined && line.includes(error.requestId))
  assert.match(line, /"code":"SQLITE_ERROR","at":"[\w-]+\.[jt]s:\d+"/)
})

test('every answer carries its request id, and no two are the same', async () => {
  await using control = await Harness.start()
  const ids = new Set<string>()
  for (const key of [KEY, 'wrong-key', '']) {
    const { headers } = await control.call('GET', '/v1/calls', { key })
    ids.add(headers.get('x-request-id') ?? 'none')
  }
  assert.equal(ids.size, 3)
  assert.ok(!ids.has('none'))
})
