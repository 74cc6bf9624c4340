import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../../wall/messages.ts'
import { parseCharge, parseQuery, parseReverse } from './response.ts'

const REFERENCE = 'BCDFGHJKLMNPQRSTVW'
const asked = { reference: REFERENCE, amountMinor: 4_250, currency: 'GBP' }
const approved = {
  id: 'CHBBB',
  reference: REFERENCE,
  state: 'approved',
  reversed: false,
  captured: true,
  amountMinor: 4_250,
  currency: 'GBP',
  authCode: 'ABCDEF',
}
const octets = (json: unknown): Uint8Array => Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
const error = (code: string): unknown => ({ error: { code } })

void test('only a whole approval of our reference, amount and currency is an approval', () => {
  const good = parseCharge(200, octets(approved), asked)
  assert.deepEqual(good, {
    kind: 'approved',
    gatewayId: 'CHBBB',
    authCode: 'ABCDEF',
    captured: true,
    amountMinor: 4_250,
  })
  const wrong: [string, unknown, string][] = [
    ['other reference', { ...approved, reference: 'ZZZZZZZZZZZZZZZZZZ' }, 'unparseable'],
    ['other amount', { ...approved, amountMinor: 4_249 }, 'amount-differs'],
    ['other currency', { ...approved, currency: 'EUR' }, 'amount-differs'],
    ['reversed since', { ...approved, reversed: true }, 'in-progress'],
    ['still processing', { ...approved, state: 'processing' }, 'in-progress'],
    ['unknown state', { ...approved, state: 'authorised' }, 'unparseable'],
    ['amount as text', { ...approved, amountMinor: '4250' }, 'unparseable'],
    ['no gateway id', { ...approved, id: undefined }, 'unparseable'],
    ['gateway id like a card number', { ...approved, id: '4242424242424242' }, 'unparseable'],
    ['no body', '', 'unparseable'],
    ['not JSON', '<html>', 'unparseable'],
    ['a list', [approved], 'unparseable'],
    ['null', null, 'unparseable'],
  ]
  for (const [name, body, why] of wrong) {
    assert.deepEqual(parseCharge(200, octets(body), asked), { kind: 'unknown', why }, name)
  }
})

void test('octets that are no UTF-8 are no answer', () => {
  const body = Uint8Array.from(octets(approved))
  body[body.length - 3] = 0xff
  assert.deepEqual(parseCharge(200, body, asked), { kind: 'unknown', why: 'unparseable' })
})

void test('every status says about the money what it says, and in doubt it says doubt', () => {
  const cases: [number, unknown, Outcome][] = [
    [402, error('insufficient_funds'), { kind: 'declined', code: 'insufficient_funds', advice: 'other_card' }],
    [402, error('lost_card'), { kind: 'declined', code: 'pick_up_card', advice: 'never' }],
    [402, error('some_new_word'), { kind: 'declined', code: 'card_declined', advice: 'other_card' }],
    [402, error('constructor'), { kind: 'declined', code: 'card_declined', advice: 'other_card' }],
    [402, 'Payment Required', { kind: 'unknown', why: 'unparseable' }],
    [422, error('invalid_number'), { kind: 'declined', code: 'invalid_number', advice: 'same_card' }],
    [400, error('invalid_request'), { kind: 'declined', code: 'config_error', advice: 'later' }],
    [401, error('unauthorized'), { kind: 'declined', code: 'config_error', advice: 'later' }],
    [401, '', { kind: 'unknown', why: 'unparseable' }],
    [404, '<html>not found</html>', { kind: 'unknown', why: 'unparseable' }],
    [409, error('in_progress'), { kind: 'unknown', why: 'in-progress' }],
    [429, error('throttled'), { kind: 'not-sent', why: 'throttled' }],
    [429, 'slow down', { kind: 'unknown', why: 'unparseable' }],
    [500, error('card_declined'), { kind: 'unknown', why: 'server-error' }],
    [503, '', { kind: 'unknown', why: 'server-error' }],
    [302, '', { kind: 'unknown', why: 'unparseable' }],
    [204, '', { kind: 'unknown', why: 'unparseable' }],
  ]
  for (const [status, body, expected] of cases) {
    assert.deepEqual(parseCharge(status, octets(body), asked), expected, `${status} ${JSON.stringify(body)}`)
  }
})

void test('a query finds, does not find, or cannot tell; a proxy\'s 404 is not "not found"', () => {
  assert.deepEqual(parseQuery(404, octets(error('charge_not_found')), REFERENCE), { kind: 'not-found' })
  assert.deepEqual(parseQuery(404, octets(error('not_found')), REFERENCE), { kind: 'unavailable' })
  assert.deepEqual(parseQuery(404, octets('nope'), REFERENCE), { kind: 'unavailable' })
  assert.deepEqual(parseQuery(500, octets(approved), REFERENCE), { kind: 'unavailable' })
  assert.deepEqual(parseQuery(200, octets(approved), 'ZZZZZZZZZZZZZZZZZZ'), { kind: 'unavailable' })
  const found = parseQuery(200, octets({ ...approved, state: 'declined', declineCode: 'expired_card' }), REFERENCE)
  assert.ok(found.kind === 'found' && found.outcome.kind === 'declined' && found.outcome.code === 'expired_card')
})

void test('a reversal is one only when the gateway says that it is reversed', () => {
  assert.equal(parseReverse(200, octets({ ...approved, reversed: true }), REFERENCE), 'reversed')
  assert.equal(parseReverse(200, octets(approved), REFERENCE), 'unavailable')
  assert.equal(parseReverse(200, octets({ ...approved, state: 'declined' }), REFERENCE), 'nothing-to-reverse')
  assert.equal(parseReverse(404, octets(error('charge_not_found')), REFERENCE), 'nothing-to-reverse')
  assert.equal(parseReverse(502, octets(''), REFERENCE), 'unavailable')
})
