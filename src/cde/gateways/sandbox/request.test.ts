import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Digits } from '../../capture/digits.ts'
import { buildCharge, buildReverse, queryPath } from './request.ts'
import { testCard } from './sandbox.test-kit.ts'

const context = { reference: 'BCDFGHJKLMNPQRSTVW', amountMinor: 4_250, currency: 'GBP' }

void test('the request is JSON with the digits in their places, on memory of its own', () => {
  const account = new Digits()
  for (const digit of [0, 1, 2, 3, 4, 5]) account.push(digit)
  const card = { ...testCard('378282246310005', '1234', '1234').card, extra: new Map([['account', account]]) }
  const body = buildCharge(card, context)
  assert.ok(body instanceof Uint8Array)
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()), {
    ...context,
    channel: 'telephone',
    card: { number: '378282246310005', expiry: '1234', securityCode: '1234' },
    extra: { account: '012345' },
  })
  assert.ok(body.buffer.byteLength > 64 && body.byteOffset === 0, 'not in a pool that others read')
})

void test('without a security code the member is left out; without a card nothing is built', () => {
  const { securityCode, ...card } = testCard('5105105105105100').card
  const body = buildCharge(card, context)
  assert.ok(securityCode && body instanceof Uint8Array)
  assert.deepEqual(JSON.parse(Buffer.from(body).toString()).card, { number: '5105105105105100', expiry: '1234' })
  card.cardNumber.wipe()
  assert.equal(buildCharge(card, context), 'no-card')
})

void test('text that would break out of its place is escaped', () => {
  const reference = 'A","amountMinor":1,"x":"'
  const body = buildCharge(testCard('5105105105105100').card, { ...context, reference })
  assert.ok(body instanceof Uint8Array)
  assert.equal(JSON.parse(Buffer.from(body).toString()).reference, reference)
  const reverse = buildReverse(reference)
  assert.ok(reverse instanceof Uint8Array)
  assert.deepEqual(JSON.parse(Buffer.from(reverse).toString()), { reference })
  assert.equal(new URL(queryPath('A&reference=B'), 'http://x/').searchParams.get('reference'), 'A&reference=B')
  assert.equal(buildReverse('A'.repeat(20_000)), 'too-long')
})
