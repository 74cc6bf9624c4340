/** Control or the CDE dies at each step of a payment. Control is started again on exactly what the disk held at that moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolverLimits } from '../../lib/limits.ts'
import type { Order } from '../../wall/messages.ts'
import { Harness, QUERY_LAG_MS } from '../testing/harness.test-kit.ts'
import { ScriptedCde } from '../testing/scripted-cde.test-kit.ts'

const ORDER = { amountMinor: 4_250, currency: 'GBP', orderReference: 'A-1' }
type Submit = Extract<Order, { type: 'submit' }>

/** A gateway behind the CDE: what it has charged, by reference. */
class Ledger {
  readonly charges = new Map<string, { amountMinor: number; reversed: boolean }>()

  charge({ reference, amountMinor }: Submit): void {
    assert.ok(!this.charges.has(reference), 'charged twice under one reference')
    this.charges.set(reference, { amountMinor, reversed: false })
  }

  held(): number {
    return [...this.charges.values()].filter(({ reversed }) => !reversed).length
  }

  /** Answers queries and reversals as a healthy gateway does. */
  answerFor(cde: ScriptedCde, order: Order): void {
    if (order.type !== 'query' && order.type !== 'reverse') return
    const { attemptId, reference } = order
    const entry = this.charges.get(reference)
    if (order.type === 'reverse') {
      if (entry !== undefined) entry.reversed = true
      const outcome = entry === undefined ? 'nothing-to-reverse' : 'reversed'
      cde.report({ type: 'reverse-result', attemptId, outcome })
      return
    }
    if (entry === undefined) return cde.report({ type: 'query-result', attemptId, outcome: { kind: 'not-found' } })
    const { amountMinor, reversed } = entry
    const outcome = { kind: 'approved', gatewayId: 'gw', captured: true, amountMinor } as const
    cde.report({ type: 'query-result', attemptId, outcome: { kind: 'found', outcome, reversed } })
  }
}

/** A fresh CDE over the ledger. */
function cdeOver(ledger: Ledger): ScriptedCde {
  const cde = new ScriptedCde()
  cde.answer = (order) => ledger.answerFor(cde, order)
  return cde
}

const approvedBy = (order: Submit) =>
  ({
    type: 'submit-result',
    attemptId: order.attemptId,
    outcome: { kind: 'approved', gatewayId: 'gw', captured: true, amountMinor: order.amountMinor },
  }) as const

async function pay(control: Harness, captureId: string, key = 'key-number-one', order = ORDER) {
  const headers = { 'idempotency-key': key }
  return control.call('POST', `/v1/captures/${captureId}/payments`, { body: order, headers })
}

async function onlyPayment(control: Harness): Promise<{ paymentId: string; state: string; attempts: number }> {
  const { body } = await control.call('GET', '/v1/payments')
  const { payments } = body as unknown as { payments: { paymentId: string; state: string; attempts: number }[] }
  assert.equal(payments.length, 1)
  return payments[0] ?? assert.fail()
}

/** Lets virtual time pass until nothing is in doubt any more. */
async function resolve(control: Harness): Promise<string> {
  for (let rounds = 0; rounds < 50; rounds++) {
    await control.control.settled()
    const { state } = await onlyPayment(control)
    if (state !== 'checking' && state !== 'submitting') return state
    control.time.advance(QUERY_LAG_MS / 4)
  }
  return 'never resolved'
}

test('the attempt is on disk before the order goes over the wall', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  let left = ''
  control.cde.answer = (order) => {
    if (order.type === 'submit') left = control.snapshot()
  }
  await pay(control, captureId)
  await using after = await Harness.start({ file: left, cde: cdeOver(new Ledger()) })
  assert.equal((await onlyPayment(after)).state, 'checking')
})

interface CrashPoint {
  readonly name: string
  /** Plays the payment up to the crash. @returns what is on disk then */
  readonly play: (control: Harness, ledger: Ledger, captureId: string) => Promise<string>
  readonly ends: string
}

async function payAndTakeOrder(control: Harness, captureId: string): Promise<Submit> {
  assert.equal((await pay(control, captureId)).status, 202)
  return control.cde.ordersOf('submit')[0] ?? assert.fail('no order')
}

const crashPoints: CrashPoint[] = [
  {
    name: 'after the attempt is written, before the CDE has sent anything',
    play: async (control, _ledger, captureId) => {
      await payAndTakeOrder(control, captureId)
      return control.snapshot()
    },
    ends: 'reversed',
  },
  {
    name: 'after the gateway has charged, before it has answered',
    play: async (control, ledger, captureId) => {
      ledger.charge(await payAndTakeOrder(control, captureId))
      return control.snapshot()
    },
    ends: 'approved',
  },
  {
    name: 'when the answer has been reported and not yet written',
    play: async (control, ledger, captureId) => {
      const order = await payAndTakeOrder(control, captureId)
      ledger.charge(order)
      control.cde.report(approvedBy(order))
      return control.snapshot()
    },
    ends: 'approved',
  },
  {
    name: 'when the answer has been written',
    play: async (control, ledger, captureId) => {
      const order = await payAndTakeOrder(control, captureId)
      ledger.charge(order)
      control.cde.report(approvedBy(order))
      await control.control.settled()
      return control.snapshot()
    },
    ends: 'approved',
  },
  {
    name: 'when a reversal has been ordered and not answered',
    play: async (control, _ledger, captureId) => {
      const order = await payAndTakeOrder(control, captureId)
      control.cde.answer = (next) => {
        const outcome = { kind: 'not-found' } as const
        if (next.type === 'query') control.cde.report({ type: 'query-result', attemptId: next.attemptId, outcome })
      }
      const outcome = { kind: 'unknown', why: 'timeout' } as const
      control.cde.report({ type: 'submit-result', attemptId: order.attemptId, outcome })
      for (let rounds = 0; rounds < 20 && control.cde.ordersOf('reverse').length === 0; rounds++) {
        await control.control.settled()
        control.time.advance(QUERY_LAG_MS / 2)
      }
      assert.equal(control.cde.ordersOf('reverse').length, 1)
      return control.snapshot()
    },
    ends: 'reversed',
  },
]

for (const { name, play, ends } of crashPoints) {
  test(`control dies ${name}: the payment ends ${ends}, and the same key does not charge again`, async () => {
    const ledger = new Ledger()
    await using before = await Harness.start()
    const { captureId } = await before.readyCapture()
    const left = await play(before, ledger, captureId)

    await using after = await Harness.start({ file: left, cde: cdeOver(ledger), time: before.time })
    const replayed = await pay(after, captureId)
    assert.equal(replayed.status, 202)
    assert.equal(replayed.headers.get('idempotent-replayed'), 'true')
    assert.equal(await resolve(after), ends)
    assert.equal(ledger.held(), ends === 'approved' ? 1 : 0)
    assert.equal(after.cde.ordersOf('submit').length, 0)
    assert.deepEqual(await onlyPayment(after).then(({ attempts }) => attempts), 1)
  })
}

test('the CDE dies during a charge: checking, then the truth; the order is blocked until then', async () => {
  const ledger = new Ledger()
  await using control = await Harness.start()
  const { captureId, callId } = await control.readyCapture()
  const order = await payAndTakeOrder(control, captureId)
  ledger.charge(order)
  control.cde.die()
  await control.control.settled()
  assert.equal((await onlyPayment(control)).state, 'checking')
  const call = await control.call('GET', `/v1/calls/${callId}`)
  assert.deepEqual([call.body['state'], call.body['reason']], ['ended', 'lost'])

  control.cde.revive()
  const again = await control.readyCapture()
  const refused = await pay(control, again.captureId, 'key-number-two')
  assert.equal(refused.status, 409)
  assert.match(refused.text, /PAYMENT_IN_DOUBT/)

  control.cde.answer = (next) => ledger.answerFor(control.cde, next)
  assert.equal(await resolve(control), 'approved')
  const paid = await pay(control, again.captureId, 'key-number-two')
  assert.match(paid.text, /ORDER_PAID/)
  assert.equal(ledger.charges.size, 1)
})

test('an answer of the old CDE that arrives after all is no second truth', async () => {
  const ledger = new Ledger()
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  const order = await payAndTakeOrder(control, captureId)
  ledger.charge(order)
  control.cde.die()
  control.cde.answer = (next) => ledger.answerFor(control.cde, next)
  control.cde.revive()
  assert.equal(await resolve(control), 'approved')
  control.cde.report(approvedBy(order))
  const outcome = { kind: 'declined', code: 'card_declined', advice: 'other_card' } as const
  control.cde.report({ type: 'submit-result', attemptId: order.attemptId, outcome })
  await control.control.settled()
  assert.equal((await onlyPayment(control)).state, 'approved')
  assert.equal(ledger.held(), 1)
})

test('while the CDE is down nothing is asked and no try is used up; when it is back the resolver goes on', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  await payAndTakeOrder(control, captureId)
  control.cde.die()
  control.time.advance(24 * 3_600_000)
  await control.control.settled()
  assert.equal(control.cde.ordersOf('query').length, 0)
  const ledger = new Ledger()
  control.cde.answer = (next) => ledger.answerFor(control.cde, next)
  control.cde.revive()
  assert.equal(await resolve(control), 'reversed')
})

test('a submit order that is never answered is in doubt after a while, and resolved', async () => {
  const ledger = new Ledger()
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  ledger.charge(await payAndTakeOrder(control, captureId))
  control.cde.answer = (next) => ledger.answerFor(control.cde, next)
  await control.control.settled()
  control.time.advance(resolverLimits.submitMs)
  assert.equal(await resolve(control), 'approved')
})

test('a gateway that never knows leads to a person, and blocks the order', async () => {
  await using control = await Harness.start()
  const { captureId } = await control.readyCapture()
  await payAndTakeOrder(control, captureId)
  control.cde.answer = (order) => {
    const outcome = { kind: 'unavailable' } as const
    if (order.type === 'query') control.cde.report({ type: 'query-result', attemptId: order.attemptId, outcome })
    if (order.type === 'capture-start') control.cde.report({ type: 'capture-started', captureId: order.captureId })
  }
  control.cde.die()
  control.cde.revive()
  for (let rounds = 0; rounds < 100; rounds++) {
    await control.control.settled()
    control.time.advance(300_000)
  }
  assert.equal((await onlyPayment(control)).state, 'needs-review')
  const again = await control.readyCapture()
  assert.match((await pay(control, again.captureId, 'key-number-two')).text, /PAYMENT_IN_DOUBT/)
})
