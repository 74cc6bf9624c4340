import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../lib/ids.ts'
import { resolverLimits } from '../../lib/limits.ts'
import { attemptById, dueAttempts, insertPayment } from '../store/payments.ts'
import type { AttemptRow } from '../store/schema.ts'
import { Harness } from '../testing/harness.test-kit.ts'

/** Attempts in doubt, written straight into the store. */
async function inDoubt(control: Harness, merchant: string, account: string, count: number): Promise<string[]> {
  const capture = await control.store.db.selectFrom('capture').selectAll().executeTakeFirstOrThrow()
  const nowMs = control.time.wallMs()
  const ids = Array.from({ length: count }, () => newId(control.random))
  await control.store.transact(async ({ db }) => {
    for (const [i, id] of ids.entries()) {
      const attempt: AttemptRow = {
        id,
        merchant_id: merchant,
        payment_id: id,
        call_id: capture.call_id,
        capture_id: capture.id,
        gateway_account: account,
        reference: id,
        amount_minor: 1,
        currency: 'GBP',
        brand: null,
        last_four: null,
        state: 'UNKNOWN',
        why: 'timeout',
        auth_code: null,
        gateway_id: null,
        decline_code: null,
        decline_advice: null,
        step: 'query',
        tries: 0,
        asked_at_ms: null,
        next_try_at_ms: nowMs + i,
        unknown_since_ms: nowMs,
        query_lag_ms: 1,
        version: 1,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      }
      const payment = { id, merchant_id: merchant, order_reference: id, attempts: 1, created_at_ms: nowMs }
      assert.ok(await insertPayment(db, { ...payment, latest_attempt_id: id }, attempt))
    }
  })
  return ids
}

test("one merchant's backlog does not delay another's: each round takes a few of each", async () => {
  await using control = await Harness.start()
  await control.readyCapture()
  const ours = await inDoubt(control, 'shop', 'sandbox', 60)
  const theirs = await inDoubt(control, 'other', 'elsewhere', 2)
  const bounds = { merchantsMax: 10, perMerchantMax: resolverLimits.perMerchantPerRoundMax }
  const due = await dueAttempts(control.store.db, control.time.wallMs() + 1_000, bounds)
  const of = (ids: string[]) => due.filter(({ id }) => ids.includes(id)).length
  assert.deepEqual([of(ours), of(theirs)], [resolverLimits.perMerchantPerRoundMax, 2])
})

test('a question that the CDE never answers is asked again after its time limit, not before', async () => {
  await using control = await Harness.start()
  await control.readyCapture()
  const [id = ''] = await inDoubt(control, 'shop', 'sandbox', 1)
  const asked = () => control.cde.ordersOf('query').length
  // The loss of the CDE is what wakes the resolver here.
  control.cde.die()
  control.cde.revive()
  await control.control.settled()
  assert.equal(asked(), 1)
  control.time.advance(resolverLimits.answerMs - 1)
  await control.control.settled()
  assert.equal(asked(), 1)
  control.time.advance(1)
  await control.control.settled()
  assert.equal(asked(), 2)
  assert.equal((await attemptById(control.store.db, id))?.tries, 2)
})

test('the wall refuses a question: it is put again later and counts as no try', async () => {
  await using control = await Harness.start()
  await control.readyCapture()
  const [id = ''] = await inDoubt(control, 'shop', 'sandbox', 1)
  control.cde.die()
  control.cde.accepts = false
  control.cde.revive()
  await control.control.settled()
  assert.equal((await attemptById(control.store.db, id))?.tries, 0)
  control.cde.accepts = true
  control.time.advance(resolverLimits.cdeDownRetryMs)
  await control.control.settled()
  assert.equal(control.cde.ordersOf('query').length, 1)
})
