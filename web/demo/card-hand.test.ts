import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CardHand } from './card-hand.ts'
import { type DemoCard, demoCards, keysFor } from './cards.ts'
import { findCardNumber } from '../../src/lib/luhn-scan.ts'

const today = new Date(2026, 0, 15)
const [card] = demoCards as readonly [DemoCard, ...DemoCard[]]

function keyed(hand: CardHand, fromMs: number, toMs: number): string {
  let keys = ''
  for (let ms = fromMs; ms < toMs; ms += 20) keys += hand.press(ms) ?? ''
  return keys
}

test('nothing is keyed before the agent asks, then exactly what was asked', () => {
  const hand = new CardHand()
  hand.hold(card, today, 0)
  assert.equal(keyed(hand, 0, 5_000), '')
  assert.equal(hand.state, 'waiting')
  hand.fieldIs('expiry', 'requested', today, 5_000)
  assert.equal(keyed(hand, 5_000, 5_600), '', 'a person takes a moment')
  assert.equal(keyed(hand, 5_600, 9_000), '1229')
})

test('a card picked while a field is already open is keyed into it', () => {
  const hand = new CardHand()
  hand.fieldIs('cardNumber', 'requested', today, 0)
  hand.hold(card, today, 100)
  assert.equal(keyed(hand, 100, 9_000), keysFor(card, 'cardNumber', today))
})

test('keying stops when the field closes or the card is put away, and starts anew on a new request', () => {
  const hand = new CardHand()
  hand.hold(card, today, 0)
  hand.fieldIs('cardNumber', 'requested', today, 0)
  assert.ok(keyed(hand, 0, 1_500).length > 0)
  hand.fieldIs('cardNumber', 'error', today, 1_500)
  assert.equal(keyed(hand, 1_500, 9_000), '')
  hand.fieldIs('cardNumber', 'requested', today, 9_000)
  assert.equal(keyed(hand, 9_000, 20_000), keysFor(card, 'cardNumber', today))
  hand.fieldIs('expiry', 'requested', today, 20_000)
  hand.hold(undefined, today, 20_000)
  assert.equal(keyed(hand, 20_000, 30_000), '')
})

test('the card is put away when all three fields are complete', () => {
  const hand = new CardHand()
  hand.hold(card, today, 0)
  for (const field of ['cardNumber', 'expiry', 'securityCode']) hand.fieldIs(field, 'valid', today, 0)
  assert.equal(hand.state, 'empty')
})

test('every card of the demo passes the check digit', () => {
  for (const demoCard of demoCards) assert.notEqual(findCardNumber(keysFor(demoCard, 'cardNumber', today)), -1)
})
