/** Taking a payment: checked, written, committed, and only then ordered from the CDE (R1, R7). */
import { createHash } from 'node:crypto'
import { type ErrorCode, TonewallError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { controlLimits, resolverLimits } from '../../lib/limits.ts'
import type { Clock } from '../../lib/clock.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { CdePort } from '../../wall/port.ts'
import type { Principal } from '../access/principal.ts'
import { maySee } from '../access/scope.ts'
import type { Events } from '../events.ts'
import { captureById, type StoredCapture } from '../store/captures.ts'
import { forgetResponse, type IdempotencyKey, storedResponse, storeResponse } from '../store/idempotency.ts'
import { lettersOf } from '../store/letters.ts'
import type { Db, Store, Tx } from '../store/open.ts'
import { attemptStatesOfCapture, insertPayment, orderOf, type StoredOrder } from '../store/payments.ts'
import type { AttemptRow, AttemptState, PaymentRow } from '../store/schema.ts'
import { gatewayAccountOf } from '../store/tenants.ts'
import { applyToAttempt } from './apply.ts'
import { type PaymentView, paymentView } from './view.ts'

export interface NewPayment {
  readonly captureId: string
  readonly amountMinor: number
  readonly currency: string
  readonly orderReference: string
  readonly gatewayAccount: string | undefined
}

export interface PaymentParts {
  readonly store: Store
  readonly port: CdePort
  readonly events: Events
  readonly clock: Clock
  readonly random: RandomBytes
  /** Told of each attempt, so that it keeps watch over its time limit. */
  readonly resolver: { wake(): void }
}

/** What a request ended in: the JSON text of the payment, new or as it was answered the first time. */
export interface Taken {
  readonly body: PaymentView
  readonly replayed: boolean
}

/**
 * Makes an attempt and orders it from the CDE. The same Idempotency-Key with the same request gives the first answer again.
 * @param idempotencyKey as received, already checked for its form
 * @throws TonewallError IDEMPOTENCY_KEY_REUSED, CAPTURE_UNKNOWN, CAPTURE_CLOSED, FIELD_MISSING, GATEWAY_ACCOUNT_UNKNOWN,
 *   PAYMENT_IN_DOUBT, ORDER_PAID, TOO_MANY, CDE_DOWN; after each of them nothing has been or will be sent
 */
export async function takePayment(
  parts: PaymentParts,
  principal: Principal,
  wanted: NewPayment,
  idempotencyKey: string,
): Promise<Taken> {
  const { store, port, events, clock } = parts
  const key = { scope: `payments:${principal.merchant}`, key_hash: textHash(idempotencyKey) }
  const written = await store.transact((tx) => writeAttempt(parts, tx, principal, wanted, key))
  if ('replay' in written) return { body: written.replay, replayed: true }
  const { attempt, body } = written
  const sent = port.send({
    type: 'submit',
    attemptId: attempt.id,
    captureId: attempt.capture_id,
    gatewayAccount: attempt.gateway_account,
    reference: attempt.reference,
    amountMinor: attempt.amount_minor,
    currency: attempt.currency,
  })
  if (!sent) {
    await store.transact(async (tx) => {
      await applyToAttempt(tx, events, attempt.id, { type: 'unsent' }, clock.wallMs())
      await forgetResponse(tx.db, key)
    })
    throw new TonewallError('CDE_DOWN')
  }
  parts.resolver.wake()
  return { body, replayed: false }
}

type Written = { readonly attempt: AttemptRow; readonly body: PaymentView } | { readonly replay: PaymentView }

async function writeAttempt(
  parts: PaymentParts,
  tx: Tx,
  principal: Principal,
  wanted: NewPayment,
  key: IdempotencyKey,
): Promise<Written> {
  const { db } = tx
  // Before the replay: an answer that is stored for this merchant is not for the token of another call.
  const stored = await visibleCapture(db, principal, wanted.captureId)
  const fingerprint = textHash(
    JSON.stringify([
      wanted.captureId,
      wanted.amountMinor,
      wanted.currency,
      wanted.orderReference,
      wanted.gatewayAccount ?? null,
    ]),
  )
  const earlier = await storedResponse(db, key)
  if (earlier !== undefined) {
    if (earlier.fingerprint !== fingerprint) throw new TonewallError('IDEMPOTENCY_KEY_REUSED')
    return { replay: JSON.parse(earlier.response) as PaymentView }
  }
  await requireSubmittable(db, stored)
  const account = await gatewayAccountOf(db, principal.merchant, wanted.gatewayAccount)
  if (account === undefined) throw new TonewallError('GATEWAY_ACCOUNT_UNKNOWN')
  const order = await orderOf(db, principal.merchant, wanted.orderReference)
  requireFree(order)
  if (!parts.port.up) throw new TonewallError('CDE_DOWN')

  const nowMs = parts.clock.wallMs()
  const paymentId = newId(parts.random)
  const attempt = newAttempt(parts.random, stored, account, { ...wanted, paymentId }, nowMs)
  const payment: PaymentRow = {
    id: paymentId,
    merchant_id: attempt.merchant_id,
    order_reference: wanted.orderReference,
    attempts: order.attempts + 1,
    latest_attempt_id: attempt.id,
    created_at_ms: nowMs,
  }
  if (!(await insertPayment(db, payment, attempt))) throw new TonewallError('PAYMENT_IN_DOUBT')
  const body = paymentView({ payment, attempt })
  await storeResponse(db, key, { fingerprint, status: 202, response: JSON.stringify(body) }, nowMs)
  await parts.events.paymentChanged(tx, principal.merchant, body, undefined)
  return { attempt, body }
}

/** States in which a capture's card has been used up. After NOT_SENT the CDE may still hold it, and says so if not. */
const usedUp = (state: AttemptState): boolean => state !== 'NOT_SENT'

async function visibleCapture(db: Db, principal: Principal, captureId: string): Promise<StoredCapture> {
  const stored = await captureById(db, captureId)
  if (stored === undefined || !maySee(principal, stored.capture)) throw new TonewallError('CAPTURE_UNKNOWN')
  return stored
}

async function requireSubmittable(db: Db, { capture, fields }: StoredCapture): Promise<void> {
  if (capture.state !== 'open') throw new TonewallError('CAPTURE_CLOSED')
  if ((await attemptStatesOfCapture(db, capture.id)).some(usedUp)) throw new TonewallError('CAPTURE_CLOSED')
  const missing = fields.filter(({ state }) => state !== 'valid').map(({ name }) => name)
  if (missing.length > 0) throw new TonewallError('FIELD_MISSING', { fields: missing })
}

/** What a new attempt of an order meets when an earlier one is not certainly over (R1, invariant 4). */
const blocks: Readonly<Partial<Record<AttemptState, ErrorCode>>> = {
  SUBMITTING: 'PAYMENT_IN_DOUBT',
  UNKNOWN: 'PAYMENT_IN_DOUBT',
  NEEDS_REVIEW: 'PAYMENT_IN_DOUBT',
  APPROVED: 'ORDER_PAID',
}

function requireFree({ attempts, states }: StoredOrder): void {
  for (const { paymentId, state } of states) {
    const code = blocks[state]
    if (code !== undefined) throw new TonewallError(code, { paymentId })
  }
  if (attempts >= controlLimits.attemptsPerOrderMax) throw new TonewallError('TOO_MANY')
}

function newAttempt(
  random: RandomBytes,
  { capture, fields }: StoredCapture,
  account: { readonly account: string; readonly query_lag_ms: number },
  wanted: NewPayment & { readonly paymentId: string },
  nowMs: number,
): AttemptRow {
  const card = fields.find(({ brand, last_four: lastFour }) => brand !== null || lastFour !== null)
  return {
    id: newId(random),
    merchant_id: capture.merchant_id,
    payment_id: wanted.paymentId,
    call_id: capture.call_id,
    capture_id: capture.id,
    gateway_account: account.account,
    reference: newId(random),
    amount_minor: wanted.amountMinor,
    currency: wanted.currency,
    brand: card?.brand ?? null,
    last_four: card?.last_four ?? null,
    state: 'SUBMITTING',
    why: null,
    auth_code: null,
    gateway_id: null,
    decline_code: null,
    decline_advice: null,
    step: null,
    tries: 0,
    asked_at_ms: null,
    next_try_at_ms: nowMs + resolverLimits.submitMs,
    unknown_since_ms: null,
    query_lag_ms: account.query_lag_ms,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
}

/** Letters of a SHA-256: keys and requests are compared, never kept. */
function textHash(text: string): string {
  return lettersOf(createHash('sha256').update(text).digest())
}
