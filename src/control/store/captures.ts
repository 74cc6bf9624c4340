import type { Db } from './open.ts'
import type { CaptureFieldRow, CaptureRow } from './schema.ts'

export interface StoredCapture {
  readonly capture: CaptureRow
  readonly fields: readonly CaptureFieldRow[]
}

/** Writes a capture in state `starting` with all its fields idle. */
export async function insertCapture(db: Db, capture: CaptureRow, fields: readonly string[]): Promise<void> {
  await db.insertInto('capture').values(capture).execute()
  const rows = fields.map((name, position) => ({
    capture_id: capture.id,
    merchant_id: capture.merchant_id,
    name,
    position,
    state: 'idle' as const,
    count: 0,
    expected: null,
    brand: null,
    last_four: null,
    error: null,
    uncertain: null,
    uncertain_at: null,
  }))
  await db.insertInto('capture_field').values(rows).execute()
}

export async function captureById(db: Db, id: string): Promise<StoredCapture | undefined> {
  const capture = await db.selectFrom('capture').selectAll().where('id', '=', id).executeTakeFirst()
  if (capture === undefined) return undefined
  const fields = await db
    .selectFrom('capture_field')
    .selectAll()
    .where('capture_id', '=', id)
    .orderBy('position')
    .execute()
  return { capture, fields }
}

export async function liveCaptureOf(db: Db, callId: string): Promise<CaptureRow | undefined> {
  const query = db.selectFrom('capture').selectAll().where('call_id', '=', callId).where('state', '!=', 'closed')
  return query.executeTakeFirst()
}

export async function liveCaptures(db: Db): Promise<CaptureRow[]> {
  return db.selectFrom('capture').selectAll().where('state', '!=', 'closed').orderBy('created_at_ms').execute()
}

export async function countCapturesOf(db: Db, callId: string): Promise<number> {
  const row = await db
    .selectFrom('capture')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('call_id', '=', callId)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** @returns false when the capture was not waiting for the CDE */
export async function markCaptureOpen(db: Db, id: string): Promise<boolean> {
  const done = await db
    .updateTable('capture')
    .set({ state: 'open' })
    .where('id', '=', id)
    .where('state', '=', 'starting')
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** @returns false when the capture is not open, or was secured already */
export async function markLineSecured(db: Db, id: string): Promise<boolean> {
  const done = await db
    .updateTable('capture')
    .set({ secured: 1 })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .where('secured', '=', 0)
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** @returns false when the capture was closed already */
export async function markCaptureClosed(db: Db, id: string, reason: string, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('capture')
    .set({ state: 'closed', close_reason: reason, closed_at_ms: nowMs })
    .where('id', '=', id)
    .where('state', '!=', 'closed')
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** What a field looks like now, without its place in the capture. */
export type FieldState = Omit<CaptureFieldRow, 'capture_id' | 'merchant_id' | 'name' | 'position'>

/** @returns false when the capture has no such field */
export async function updateField(db: Db, captureId: string, name: string, state: FieldState): Promise<boolean> {
  const done = await db
    .updateTable('capture_field')
    .set(state)
    .where('capture_id', '=', captureId)
    .where('name', '=', name)
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}
