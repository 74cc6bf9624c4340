import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLimits } from '../lib/limits.ts'
import type { Order } from '../wall/messages.ts'
import { Arming, type CaptureStart } from './arming.ts'

const start = (captureId: string, callId: string): CaptureStart => ({
  type: 'capture-start',
  captureId,
  callId,
  fields: ['cardNumber'],
  mode: 'field',
})
const request = (captureId: string): Order => ({ type: 'field-request', captureId, field: 'cardNumber' })

test('orders for a capture whose line is not masked yet come after it, in their order; all others at once', () => {
  const arming = new Arming()
  assert.equal(arming.holds(request('first')), false)
  arming.begin(start('first', 'call'))
  assert.equal(arming.holds(request('first')), true)
  assert.equal(arming.holds({ type: 'capture-cancel', captureId: 'first' }), true)
  assert.equal(arming.holds(request('another')), false)
  assert.equal(arming.holds({ type: 'hang-up', callId: 'call' }), false)
  const waiting = arming.take('call')
  assert.deepEqual(waiting, {
    start: start('first', 'call'),
    later: [request('first'), { type: 'capture-cancel', captureId: 'first' }],
  })
  assert.equal(arming.holds(request('first')), false)
  assert.equal(arming.take('call'), undefined)
})

test('a second capture of the same call waits for the first one to begin', () => {
  const arming = new Arming()
  arming.begin(start('first', 'call'))
  assert.equal(arming.holds(start('second', 'call')), true)
  assert.equal(arming.holds(start('third', 'another call')), false)
  assert.deepEqual(arming.take('call')?.later, [start('second', 'call')])
})

test('a charge never waits, so that it is never without an answer', () => {
  const arming = new Arming()
  arming.begin(start('first', 'call'))
  const [attemptId, gatewayAccount, reference] = ['attempt', 'main', 'reference']
  const money = { amountMinor: 1, currency: 'GBP' }
  assert.equal(
    arming.holds({ type: 'submit', captureId: 'first', attemptId, gatewayAccount, reference, ...money }),
    false,
  )
})

test('a flood of orders for a line that is not masked yet is bounded', () => {
  const arming = new Arming()
  arming.begin(start('first', 'call'))
  for (let i = 0; i < 10_000; i++) assert.equal(arming.holds(request('first')), true)
  assert.equal(arming.take('call')?.later.length, captureLimits.ordersWaitingMax)
})
