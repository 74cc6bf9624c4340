import type { Db } from './open.ts'
import type { AttemptRow, AttemptState, PaymentRow } from './schema.ts'

export interface StoredPayment {
  readonly payment: PaymentRow
  readonly attempt: AttemptRow
}

export async function paymentById(db: Db, id: string): Promise<StoredPayment | undefined> {
  const payment = await db.selectFrom('payment').selectAll().where('id', '=', id).executeTakeFirst()
  return payment === undefined ? undefined : withLatestAttempt(db, payment)
}

/** What is known of an order: how many attempts it has had, and the payments they belong to. */
export interface StoredOrder {
  readonly attempts: number
  readonly states: readonly { readonly paymentId: string; readonly state: AttemptState }[]
}

export async function orderOf(db: Db, merchant: string, reference: string): Promise<StoredOrder> {
  const order = await db
    .selectFrom('merchant_order')
    .select('attempts')
    .where('merchant_id', '=', merchant)
    .where('reference', '=', reference)
    .executeTakeFirst()
  const states = await db
    .selectFrom('attempt')
    .innerJoin('payment', 'payment.id', 'attempt.payment_id')
    .select(['attempt.payment_id as paymentId', 'attempt.state as state'])
    .where('payment.merchant_id', '=', merchant)
    .where('payment.order_reference', '=', reference)
    .execute()
  return { attempts: order?.attempts ?? 0, states }
}

async function withLatestAttempt(db: Db, payment: PaymentRow): Promise<StoredPayment> {
  const query = db.selectFrom('attempt').selectAll().where('id', '=', payment.latest_attempt_id)
  return { payment, attempt: await query.executeTakeFirstOrThrow() }
}

/** @returns a merchant's payments, or only those of one call; newest first */
export async function paymentsOf(
  db: Db,
  merchant: string,
  callId: string | undefined,
  rowsMax: number,
): Promise<StoredPayment[]> {
  let query = db
    .selectFrom('attempt')
    .innerJoin('payment', 'payment.latest_attempt_id', 'attempt.id')
    .selectAll('attempt')
    .where('attempt.merchant_id', '=', merchant)
  if (callId !== undefined) query = query.where('attempt.call_id', '=', callId)
  const attempts = await query.orderBy('attempt.created_at_ms', 'desc').orderBy('attempt.id').limit(rowsMax).execute()
  if (attempts.length === 0) return []
  const ids = attempts.map((attempt) => attempt.payment_id)
  const payments = await db.selectFrom('payment').selectAll().where('id', 'in', ids).execute()
  const byId = new Map(payments.map((payment) => [payment.id, payment]))
  return attempts.flatMap((attempt) => {
    const payment = byId.get(attempt.payment_id)
    return payment === undefined ? [] : [{ payment, attempt }]
  })
}

/**
 * Writes a payment with its first attempt, as the order's next.
 * @returns false when another attempt of the order came in between: nothing may be sent
 */
export async function insertPayment(db: Db, payment: PaymentRow, attempt: AttemptRow): Promise<boolean> {
  const order = { merchant_id: payment.merchant_id, reference: payment.order_reference }
  await db
    .insertInto('merchant_order')
    .values({ ...order, attempts: 0 })
    .onConflict((c) => c.columns(['merchant_id', 'reference']).doNothing())
    .execute()
  const counted = await db
    .updateTable('merchant_order')
    .set({ attempts: payment.attempts })
    .where('merchant_id', '=', order.merchant_id)
    .where('reference', '=', order.reference)
    .where('attempts', '=', payment.attempts - 1)
    .executeTakeFirst()
  if (counted.numUpdatedRows !== 1n) return false
  await db.insertInto('payment').values(payment).execute()
  await db.insertInto('attempt').values(attempt).execute()
  return true
}

export async function attemptById(db: Db, id: string): Promise<AttemptRow | undefined> {
  return db.selectFrom('attempt').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function attemptStatesOfCapture(db: Db, captureId: string): Promise<AttemptState[]> {
  const rows = await db.selectFrom('attempt').select('state').where('capture_id', '=', captureId).execute()
  return rows.map((row) => row.state)
}

/** Compare and set. @returns false when the row has changed since it was read: the caller reads again */
export async function updateAttempt(db: Db, attempt: AttemptRow): Promise<boolean> {
  const { id, version, ...columns } = attempt
  const done = await db
    .updateTable('attempt')
    .set({ ...columns, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}

export async function submittingAttempts(db: Db): Promise<AttemptRow[]> {
  return db.selectFrom('attempt').selectAll().where('state', '=', 'SUBMITTING').orderBy('created_at_ms').execute()
}

/** The states that have a time at which something must happen. */
const timed = ['SUBMITTING', 'UNKNOWN'] as const

/** Attempts under way or in doubt whose time has come, at most `perMerchantMax` of each merchant: no backlog delays another's (R8). */
export async function dueAttempts(
  db: Db,
  nowMs: number,
  bounds: { readonly merchantsMax: number; readonly perMerchantMax: number },
): Promise<{ id: string }[]> {
  const merchants = await db
    .selectFrom('attempt')
    .select('merchant_id')
    .distinct()
    .where('state', 'in', timed)
    .where('next_try_at_ms', '<=', nowMs)
    .limit(bounds.merchantsMax)
    .execute()
  const due: { id: string }[] = []
  for (const { merchant_id: merchant } of merchants) {
    const rows = await db
      .selectFrom('attempt')
      .select('id')
      .where('state', 'in', timed)
      .where('merchant_id', '=', merchant)
      .where('next_try_at_ms', '<=', nowMs)
      .orderBy('next_try_at_ms')
      .limit(bounds.perMerchantMax)
      .execute()
    due.push(...rows)
  }
  return due
}

/** @returns when the next attempt is due, wall-clock ms, or undefined when none is under way or in doubt */
export async function nextDueAtMs(db: Db): Promise<number | undefined> {
  const row = await db
    .selectFrom('attempt')
    .select((eb) => eb.fn.min('next_try_at_ms').as('next'))
    .where('state', 'in', timed)
    .executeTakeFirst()
  return row?.next === null || row?.next === undefined ? undefined : row.next
}
