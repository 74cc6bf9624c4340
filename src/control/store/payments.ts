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

export async function paymentOfOrder(db: Db, merchant: string, order: string): Promise<StoredPayment | undefined> {
  const payment = await db
    .selectFrom('payment')
    .selectAll()
    .where('merchant_id', '=', merchant)
    .where('order_reference', '=', order)
    .executeTakeFirst()
  return payment === undefined ? undefined : withLatestAttempt(db, payment)
}

async function withLatestAttempt(db: Db, payment: PaymentRow): Promise<StoredPayment> {
  const query = db.selectFrom('attempt').selectAll().where('id', '=', payment.latest_attempt_id)
  return { payment, attempt: await query.executeTakeFirstOrThrow() }
}

/** @returns a merchant's payments, or only those whose latest attempt was on one call; newest attempt first */
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

/** The first attempt of an order makes its payment. */
export async function insertPayment(db: Db, payment: PaymentRow, attempt: AttemptRow): Promise<void> {
  await db.insertInto('payment').values(payment).execute()
  await db.insertInto('attempt').values(attempt).execute()
}

/** @returns false when another attempt of the order came in between: nothing may be sent */
export async function insertFurtherAttempt(db: Db, previous: StoredPayment, attempt: AttemptRow): Promise<boolean> {
  const done = await db
    .updateTable('payment')
    .set({ latest_attempt_id: attempt.id, attempts: previous.payment.attempts + 1 })
    .where('id', '=', previous.payment.id)
    .where('latest_attempt_id', '=', previous.attempt.id)
    .executeTakeFirst()
  if (done.numUpdatedRows !== 1n) return false
  await db.insertInto('attempt').values(attempt).execute()
  return true
}

export async function attemptById(db: Db, id: string): Promise<AttemptRow | undefined> {
  return db.selectFrom('attempt').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function attemptStatesOfOrder(db: Db, paymentId: string): Promise<AttemptState[]> {
  const rows = await db.selectFrom('attempt').select('state').where('payment_id', '=', paymentId).execute()
  return rows.map((row) => row.state)
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

/** Attempts in doubt whose time has come, at most `perMerchantMax` of each merchant: no backlog delays another's (R8). */
export async function dueAttempts(
  db: Db,
  nowMs: number,
  bounds: { readonly merchantsMax: number; readonly perMerchantMax: number },
): Promise<{ id: string }[]> {
  const merchants = await db
    .selectFrom('attempt')
    .select('merchant_id')
    .distinct()
    .where('state', '=', 'UNKNOWN')
    .where('next_try_at_ms', '<=', nowMs)
    .limit(bounds.merchantsMax)
    .execute()
  const due: { id: string }[] = []
  for (const { merchant_id: merchant } of merchants) {
    const rows = await db
      .selectFrom('attempt')
      .select('id')
      .where('state', '=', 'UNKNOWN')
      .where('merchant_id', '=', merchant)
      .where('next_try_at_ms', '<=', nowMs)
      .orderBy('next_try_at_ms')
      .limit(bounds.perMerchantMax)
      .execute()
    due.push(...rows)
  }
  return due
}

/** @returns when the next attempt in doubt is due, wall-clock ms, or undefined when none is in doubt */
export async function nextDueAtMs(db: Db): Promise<number | undefined> {
  const row = await db
    .selectFrom('attempt')
    .select((eb) => eb.fn.min('next_try_at_ms').as('next'))
    .where('state', '=', 'UNKNOWN')
    .executeTakeFirst()
  return row?.next === null || row?.next === undefined ? undefined : Number(row.next)
}
