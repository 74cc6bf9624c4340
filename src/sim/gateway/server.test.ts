import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import { testCards } from './cards.ts'
import { type SandboxGateway, type SandboxGatewayOptions, startSandboxGateway } from './server.ts'

const KEY = 'sk_sandbox_test'
const REFERENCE = 'BCDFGHJKLMNPQRSTVW'
const APPROVED = '4242424242424242'
const SILENT = '4000000000000077'
const SLOW = '4012888888881881'

async function start(t: TestContext, options: Partial<SandboxGatewayOptions> = {}): Promise<SandboxGateway> {
  const gateway = await startSandboxGateway({ host: '127.0.0.1', port: 0, key: KEY, slowMs: 50, ...options })
  t.after(() => gateway.close())
  return gateway
}

const chargeBody = (number: string, reference = REFERENCE, amountMinor = 4_250): string =>
  JSON.stringify({ reference, amountMinor, currency: 'GBP', card: { number, expiry: '1234', securityCode: '123' } })

async function call(
  gateway: SandboxGateway,
  method: string,
  path: string,
  body?: string,
  key = KEY,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${gateway.address.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, connection: 'close' },
    signal: AbortSignal.timeout(2_000),
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

const charge = (gateway: SandboxGateway, number: string, reference = REFERENCE): ReturnType<typeof call> =>
  call(gateway, 'POST', '/v1/charges', chargeBody(number, reference))

void test('every card does what the table says, and the ledger holds no digits of it but the last four', async (t) => {
  const gateway = await start(t)
  for (const [i, card] of testCards.entries()) {
    const reference = `${REFERENCE.slice(2)}${String.fromCharCode(65 + Math.floor(i / 26), 65 + (i % 26))}`
    const entry = () => gateway.ledger().find((candidate) => candidate.reference === reference)
    const behaviour = card.behaviour
    if (behaviour === 'approve' || behaviour === 'approve after 3 s') {
      const { status, json } = await charge(gateway, card.number, reference)
      assert.deepEqual([status, json['state'], json['amountMinor']], [200, 'approved', 4_250], behaviour)
    } else if (behaviour === 'approve half of the amount') {
      const { status, json } = await charge(gateway, card.number, reference)
      assert.deepEqual([status, json['amountMinor']], [200, 2_125])
    } else if (behaviour.startsWith('decline: ')) {
      const { status, json } = await charge(gateway, card.number, reference)
      assert.deepEqual([status, json], [402, { error: { code: behaviour.slice('decline: '.length) } }])
      assert.equal(entry()?.timesCharged, 0)
      continue
    } else if (behaviour === 'answer 500 after accepting') {
      assert.equal((await charge(gateway, card.number, reference)).status, 500)
    } else if (behaviour === 'answer 429 before accepting') {
      assert.equal((await charge(gateway, card.number, reference)).status, 429)
      assert.equal(entry(), undefined)
      continue
    } else if (behaviour === 'never answer after accepting') {
      const body = chargeBody(card.number, reference)
      const url = `http://127.0.0.1:${gateway.address.port}/v1/charges`
      const headers = { authorization: `Bearer ${KEY}` }
      await assert.rejects(fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(100) }))
    } else {
      await assert.rejects(charge(gateway, card.number, reference), TypeError)
      if (behaviour === 'reset the connection before accepting') {
        assert.equal(entry(), undefined)
        continue
      }
    }
    assert.deepEqual([entry()?.timesCharged, entry()?.state, entry()?.brand], [1, 'approved', card.brand], behaviour)
    assert.equal(entry()?.lastFour, card.number.slice(-4))
  }
  assert.equal(findCardNumber(JSON.stringify(gateway.ledger())), -1)
})

void test('a number that is no test card is never charged', async (t) => {
  const gateway = await start(t)
  const { status, json } = await charge(gateway, '4000000000000000')
  assert.deepEqual([status, json], [402, { error: { code: 'not_a_test_card' } }])
  assert.equal(gateway.ledger()[0]?.timesCharged, 0)
})

void test('the same reference again gets the stored answer and is not charged again', async (t) => {
  const gateway = await start(t)
  const first = await charge(gateway, APPROVED)
  for (let round = 0; round < 3; round++) assert.deepEqual(await charge(gateway, APPROVED), first)
  assert.deepEqual(
    gateway.ledger().map((entry) => entry.timesCharged),
    [1],
  )
  const other = await call(gateway, 'POST', '/v1/charges', chargeBody(APPROVED, REFERENCE, 1))
  assert.deepEqual([other.status, other.json], [409, { error: { code: 'reference_reused' } }])
})

void test('a charge that is still being processed is neither done twice nor told as done', async (t) => {
  const gateway = await start(t, { slowMs: 500 })
  const slow = charge(gateway, SLOW)
  while (gateway.ledger().length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual((await charge(gateway, SLOW)).json, { error: { code: 'in_progress' } })
  const query = await call(gateway, 'GET', `/v1/charges?reference=${REFERENCE}`)
  assert.equal(query.json['state'], 'processing')
  await call(gateway, 'POST', '/v1/charges/reverse', JSON.stringify({ reference: REFERENCE }))
  assert.equal((await slow).json['reversed'], true)
  assert.deepEqual([gateway.ledger()[0]?.state, gateway.ledger()[0]?.timesCharged], ['reversed', 0])
})

void test('with an index lag a charge is found only after it', async (t) => {
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs }
  const gateway = await start(t, { queryLagMs: 1_000, clock })
  await charge(gateway, APPROVED)
  const query = () => call(gateway, 'GET', `/v1/charges?reference=${REFERENCE}`)
  assert.equal((await query()).status, 404)
  nowMs = 1_000
  assert.equal((await query()).status, 200)
})

void test('reversed before it came: the late charge is refused', async (t) => {
  const gateway = await start(t)
  const reversal = await call(gateway, 'POST', '/v1/charges/reverse', JSON.stringify({ reference: REFERENCE }))
  assert.deepEqual(reversal.json, { error: { code: 'charge_not_found' } })
  assert.deepEqual((await charge(gateway, APPROVED)).json, { error: { code: 'reference_reversed' } })
  assert.deepEqual(gateway.ledger(), [])
})

void test('a wrong key, path, or body gets its code and moves nothing', async (t) => {
  const gateway = await start(t)
  const codeOf = async (method: string, path: string, body?: string, key?: string): Promise<unknown> =>
    ((await call(gateway, method, path, body, key)).json['error'] as { code: unknown }).code
  assert.equal(await codeOf('POST', '/v1/charges', chargeBody(APPROVED), 'wrong'), 'unauthorized')
  assert.equal(await codeOf('GET', '/v1/refunds'), 'not_found')
  assert.equal(await codeOf('POST', '/v1/charges', '{'), 'invalid_request')
  assert.equal(await codeOf('POST', '/v1/charges', chargeBody('12')), 'invalid_number')
  assert.equal(await codeOf('POST', '/v1/charges', chargeBody(APPROVED).replace('1234', '1334')), 'invalid_expiry')
  assert.equal(await codeOf('POST', '/v1/charges', chargeBody(APPROVED, REFERENCE, 0)), 'invalid_amount')
  assert.equal(await codeOf('POST', '/v1/charges', 'x'.repeat(20_000)), 'too_large')
  assert.equal(await codeOf('POST', '/v1/charges/reverse', '{}'), 'invalid_request')
  assert.deepEqual(gateway.ledger(), [])
})

void test('a client that hangs up does not take its charge back', async (t) => {
  const gateway = await start(t)
  const url = `http://127.0.0.1:${gateway.address.port}/v1/charges`
  const headers = { authorization: `Bearer ${KEY}` }
  const aborted = fetch(url, { method: 'POST', headers, body: chargeBody(SILENT), signal: AbortSignal.timeout(100) })
  await assert.rejects(aborted)
  assert.equal(gateway.ledger()[0]?.timesCharged, 1)
})

void test('docs/reference/sandbox-cards.md lists these cards and no others, each with what it does', () => {
  const page = readFileSync(new URL('../../../docs/reference/sandbox-cards.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\d+)` \| (\w+) \| `([^`]+)` \|/gm)].map(([, number, brand, behaviour]) => ({
    number,
    brand,
    behaviour,
  }))
  assert.deepEqual(rows, testCards)
})

void test('no card stands twice in the table and all have a valid check digit', () => {
  assert.equal(new Set(testCards.map((card) => card.number)).size, testCards.length)
  for (const card of testCards) assert.equal(findCardNumber(card.number), 0)
})
