import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announce } from './announce.ts'
import type { Field, Payment } from './contract.ts'
import { domEvents } from './dom-events.ts'
import { emptyPanel, type Panel } from './state.ts'

const taking = (...fields: Field[]): Panel => ({
  ...emptyPanel(''),
  capture: { captureId: 'A', mode: 'field', open: true, secured: true, fields },
})
const number = (state: Field['state'], more: Partial<Field> = {}): Field => ({
  field: 'cardNumber',
  state,
  count: 4,
  ...more,
})
const payment: Payment = {
  paymentId: 'P',
  captureId: 'A',
  orderReference: '',
  amountMinor: 100,
  currency: 'GBP',
  state: 'approved',
  message: 'Approved.',
  reference: 'R',
  authCode: 'A1',
}

test('single keys are not spoken, changes of state are', () => {
  const collecting = taking(number('collecting'))
  assert.equal(announce(collecting, taking(number('collecting', { count: 5 }))), '')
  const valid = taking(number('valid', { brand: 'visa', lastFour: '4242' }))
  assert.equal(announce(collecting, valid), 'Card number: complete, Visa ending in 4242.')
  assert.match(announce(collecting, taking(number('error', { error: 'check-digit' }))), /A digit is wrong/)
})

test('a key that was not clear is spoken once, at once, and never which key', () => {
  const collecting = taking(number('collecting'))
  const unclear = taking(number('collecting', { count: 5, uncertain: { why: 'too-near', at: 5 } }))
  const sentence = 'Card number: One key was not clear. Ask the caller to key it again, slowly.'
  assert.equal(announce(collecting, unclear), sentence)
  const later = taking(number('collecting', { count: 6, uncertain: { why: 'too-near', at: 5 } }))
  assert.equal(announce(unclear, later), '')
  assert.match(announce(later, taking(number('error', { error: 'uncertain-key' }))), /One key was not clear/)
})

test('results and trouble are spoken once', () => {
  const approved: Panel = { ...taking(), payment }
  assert.equal(announce(taking(), approved), 'Approved. Authorisation code A1.')
  assert.equal(announce(approved, { ...approved }), '')
  assert.equal(announce(taking(), { ...taking(), link: 'lost' }), 'Connection lost, trying again.')
  assert.equal(announce({ ...taking(), cardZone: 'down' }, taking()), 'Cards can be taken again.')
})

test('after an error the button comes first, because until then the keys go nowhere; in one go it is pressed already', () => {
  const before = taking(number('collecting'))
  const stopped = announce(before, taking(number('error', { error: 'too-short' })))
  assert.match(stopped, /Press Request again, then ask the caller/)
  const goesOn = announce(before, taking(number('requested', { error: 'too-short' })))
  assert.match(goesOn, /Digits are missing: ask the caller/)
})

test('what is set up wrongly on the way to Tonewall is said once', () => {
  const now = (link: Panel['link']): Panel => ({ ...taking(), link })
  assert.match(announce(now('lost'), now('unreachable')), /allowedOrigins/)
  assert.match(announce(now('connecting'), now('wrong-call')), /another call/)
  assert.equal(announce(now('token-expired'), now('connecting')), '')
  assert.equal(announce(now('connecting'), now('live')), '')
})

test('the page hears of the secured line, of each field that changed, and of the result once', () => {
  const names = (before: Panel, now: Panel): string[] => domEvents(before, now).map(([name]) => name)
  const idle = number('idle', { count: 0 })
  assert.deepEqual(names(emptyPanel(''), taking(idle)), ['tonewall-secured'])
  const requested = taking(number('requested'))
  assert.deepEqual(names(taking(idle), requested), ['tonewall-field'])
  assert.deepEqual(names(requested, { ...requested }), [])
  assert.deepEqual(names(requested, emptyPanel('')), ['tonewall-unsecured'])
  const approved: Panel = { ...emptyPanel(''), payment }
  assert.deepEqual(names(emptyPanel(''), approved), ['tonewall-approved'])
  assert.deepEqual(names(approved, { ...approved }), [])
  assert.deepEqual(names(emptyPanel(''), { ...emptyPanel(''), link: 'token-expired' }), ['tonewall-token-expired'])
})

test('that nothing is heard from the caller is spoken once', () => {
  const silent = { ...taking(number('collecting')), callerSilent: true }
  assert.match(announce(taking(number('collecting')), silent), /^Nothing is heard from the caller/)
  assert.equal(announce(silent, { ...silent }), '')
})
