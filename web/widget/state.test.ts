import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallEvent, Capture, Field, Payment } from './contract.ts'
import {
  allValid,
  canOrder,
  canTakeAgain,
  emptyPanel,
  openField,
  type Panel,
  reduce,
  rows,
  screenOf,
  type Action,
} from './state.ts'

const after = (...actions: Action[]): Panel => actions.reduce(reduce, emptyPanel('order-1'))
const event = (heard: CallEvent): Action => ({ type: 'event', event: heard })
const field = (name: string, state: Field['state'], count = 0): Action =>
  event({ type: 'capture.field', captureId: 'A', field: { field: name, state, count } })
const answered = event({ type: 'call.answered' })
const live: Action = { type: 'link', link: 'live' }
const capture = (captureId: string, mode: Capture['mode'] = 'continuous'): Capture => ({
  captureId,
  callId: 'C',
  state: 'open',
  mode,
  fields: ['cardNumber', 'expiry', 'securityCode'].map((name) => ({ field: name, state: 'idle', count: 0 })),
})
const started = event({ type: 'capture.started', capture: capture('A', 'field') })
const payment = (state: Payment['state'], change: Partial<Payment> = {}): Payment => ({
  paymentId: 'P',
  captureId: 'A',
  orderReference: 'order-1',
  amountMinor: 4250,
  currency: 'GBP',
  state,
  reference: 'R',
  message: 'A sentence.',
  ...change,
})
const paid = (state: Payment['state'], change: Partial<Payment> = {}): Action =>
  event({ type: 'payment.changed', payment: payment(state, change) })
const allThree = [field('cardNumber', 'valid', 16), field('expiry', 'valid', 4), field('securityCode', 'valid', 3)]

test('three rows stand before anything is asked, and no order is possible before the call is answered', () => {
  assert.deepEqual(
    rows(emptyPanel('')).map((row) => row.state),
    ['idle', 'idle', 'idle'],
  )
  assert.equal(canOrder(after(live)), false)
  assert.equal(canOrder(after(live, answered)), true)
  assert.equal(canOrder(after(live, answered, event({ type: 'cde.down' }))), false)
  assert.equal(canOrder(after(live, answered, event({ type: 'cde.down' }), event({ type: 'cde.up' }))), true)
  assert.equal(canOrder(after(live, answered, { type: 'link', link: 'lost' })), false)
})

test('without an order reference no payment of the call is shown as the result', () => {
  const panel = reduce(emptyPanel(''), paid('approved', { orderReference: 'order-7' }))
  assert.equal(screenOf(panel), 'card')
  assert.equal(panel.payment, undefined)
})

test('an answer that arrives after younger events does not take dots away', () => {
  const panel = after(started, field('cardNumber', 'collecting', 5), { type: 'opened', capture: capture('A') })
  assert.equal(openField(panel)?.count, 5)
  assert.equal(panel.mode, 'continuous')
})

test('an answer that arrives before any event opens the capture', () => {
  const panel = after({ type: 'busy', busy: 'opening' }, { type: 'opened', capture: capture('A') }, started)
  assert.equal(panel.busy, 'none')
  assert.equal(panel.capture?.captureId, 'A')
  assert.equal(panel.mode, 'continuous')
})

test('charge is possible only when every field is valid and the capture is open', () => {
  assert.equal(allValid(after(started, ...allThree.slice(0, 2))), false)
  assert.equal(allValid(after(started, ...allThree)), true)
  assert.equal(allValid(after(started, ...allThree, field('expiry', 'error'))), false)
  assert.equal(allValid(after(started, ...allThree, { type: 'busy', busy: 'charging' })), false)
})

test('fields of another capture are not shown', () => {
  const other = event({
    type: 'capture.field',
    captureId: 'B',
    field: { field: 'cardNumber', state: 'collecting', count: 3 },
  })
  assert.equal(openField(after(started, other)), undefined)
})

test('a payment is charging until the gateway has spoken, whichever of answer and event comes first', () => {
  const charging: Action[] = [started, ...allThree, { type: 'busy', busy: 'charging' }]
  assert.equal(screenOf(after(...charging)), 'charging')
  assert.equal(screenOf(after(...charging, { type: 'paid', payment: payment('submitting') })), 'charging')
  assert.equal(
    screenOf(after(...charging, paid('approved'), { type: 'paid', payment: payment('submitting') })),
    'approved',
  )
})

test('a capture that was submitted and then lost does not hide the payment', () => {
  const closed = event({ type: 'capture.closed', captureId: 'A', reason: 'submitted' })
  assert.equal(screenOf(after(started, ...allThree, paid('submitting'), closed)), 'charging')
  const lost = event({ type: 'capture.lost', captureId: 'A' })
  assert.equal(screenOf(after(started, ...allThree, { type: 'busy', busy: 'charging' }, lost)), 'charging')
  assert.equal(screenOf(after(started, ...allThree, paid('checking'), lost)), 'checking')
})

test('a declined card can be put aside and its late events do not come back', () => {
  const declined = after(started, ...allThree, paid('declined'))
  assert.equal(canTakeAgain(declined), true)
  const anew = reduce(reduce(declined, { type: 'again' }), paid('declined'))
  assert.equal(screenOf(anew), 'card')
  assert.equal(anew.capture, undefined)
})

test('a payment that was not sent leaves its card in hand when the capture is still open', () => {
  const notSent = after(started, ...allThree, paid('not-sent'))
  assert.equal(allValid(reduce(notSent, { type: 'again' })), true)
  const closed = reduce(notSent, event({ type: 'capture.closed', captureId: 'A', reason: 'submitted' }))
  assert.equal(reduce(closed, { type: 'again' }).capture, undefined)
})

test('nothing can be started anew while the payment is in doubt, approved or under review', () => {
  for (const state of ['submitting', 'checking', 'approved', 'needs-review'] as const) {
    const panel = after(started, ...allThree, paid(state))
    assert.equal(reduce(panel, { type: 'again' }), panel, state)
  }
  const doubt = after(answered, { type: 'refused', notice: 'PAYMENT_IN_DOUBT' })
  assert.equal(screenOf(doubt), 'checking')
  assert.equal(screenOf(reduce(doubt, paid('approved'))), 'approved')
})

test('the payment of another order is not ours', () => {
  assert.equal(screenOf(after(paid('approved', { orderReference: 'order-2' }))), 'card')
})

test('cancel is confirmed first, and only while a card is being taken', () => {
  assert.equal(after({ type: 'confirm-cancel', open: true }).confirmingCancel, false)
  assert.equal(after(started, { type: 'confirm-cancel', open: true }).confirmingCancel, true)
  assert.equal(after(started, { type: 'confirm-cancel', open: true }, paid('submitting')).confirmingCancel, false)
})

test('each way in which a capture ends without payment leaves empty rows and says why', () => {
  const ends = [
    ['cancelled', undefined],
    ['call-ended', undefined],
    ['timed-out', 'capture-timed-out'],
    ['mask-failed', 'mask-failed'],
  ] as const
  for (const [reason, notice] of ends) {
    const panel = after(started, ...allThree, event({ type: 'capture.closed', captureId: 'A', reason }))
    assert.equal(panel.capture, undefined, reason)
    assert.equal(panel.notice, notice, reason)
  }
  assert.equal(after(started, event({ type: 'capture.lost', captureId: 'A' })).notice, 'capture-lost')
})

test('in one go, what was wrong stays readable after the field was asked for again, until the next key', () => {
  const wrong = { field: 'cardNumber', state: 'error', count: 16, error: 'check-digit' } as const
  const inOneGo = event({ type: 'capture.started', capture: capture('A') })
  const failed = event({ type: 'capture.field', captureId: 'A', field: wrong })
  const repeated = after(inOneGo, failed, field('cardNumber', 'requested'))
  assert.equal(openField(repeated)?.error, 'check-digit')
  assert.equal(openField(reduce(repeated, field('cardNumber', 'collecting', 1)))?.error, undefined)
  assert.equal(openField(after(started, failed, field('cardNumber', 'requested')))?.error, undefined)
})

test('a style cannot be changed while a card is being taken', () => {
  assert.equal(after({ type: 'mode', mode: 'continuous' }).mode, 'continuous')
  assert.equal(after(started, { type: 'mode', mode: 'continuous' }).mode, 'field')
})

test('a replayed stream ends in the same panel as the live one', () => {
  const stream = [answered, started, ...allThree, paid('submitting'), paid('declined')]
  assert.deepEqual(after(...stream, ...stream.slice(2)), after(...stream))
})

test('the line is secured when control says so of this capture, and a new capture begins unsecured', () => {
  const secured = event({ type: 'capture.secured', captureId: 'A' })
  const strange = event({ type: 'capture.secured', captureId: 'B' })
  assert.equal(after(started, strange).capture?.secured, false)
  assert.equal(after(started, secured).capture?.secured, true)
})

test('a silent caller is shown while a card is taken, until heard again or the next capture begins; never beside no card', () => {
  const silent = event({ type: 'caller.silent' })
  assert.equal(after(live, answered, silent).callerSilent, false)
  const taking = after(live, answered, started, silent)
  assert.equal(taking.callerSilent, true)
  assert.equal(reduce(taking, event({ type: 'caller.heard' })).callerSilent, false)
  assert.equal(reduce(taking, event({ type: 'capture.started', capture: capture('B', 'field') })).callerSilent, false)
})
