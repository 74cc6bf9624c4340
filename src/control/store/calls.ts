import type { Db } from './open.ts'
import type { CallRow } from './schema.ts'

export async function insertCall(db: Db, call: CallRow): Promise<void> {
  await db.insertInto('call').values(call).execute()
}

export async function callById(db: Db, id: string): Promise<CallRow | undefined> {
  return db.selectFrom('call').selectAll().where('id', '=', id).executeTakeFirst()
}

/** @returns a merchant's calls, newest first */
export async function callsOf(db: Db, merchant: string, liveOnly: boolean, rowsMax: number): Promise<CallRow[]> {
  let query = db.selectFrom('call').selectAll().where('merchant_id', '=', merchant)
  if (liveOnly) query = query.where('state', '!=', 'ended')
  return query.orderBy('started_at_ms', 'desc').orderBy('id').limit(rowsMax).execute()
}

/** Calls of every merchant that have not ended. */
export async function liveCalls(db: Db): Promise<CallRow[]> {
  return db.selectFrom('call').selectAll().where('state', '!=', 'ended').orderBy('started_at_ms').execute()
}

/** @returns false when the call was not ringing any more */
export async function markAnswered(db: Db, id: string, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('call')
    .set({ state: 'answered', answered_at_ms: nowMs })
    .where('id', '=', id)
    .where('state', '=', 'ringing')
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** @param quality JSON; it may come after the end */
export async function updateQuality(db: Db, id: string, quality: string): Promise<void> {
  await db.updateTable('call').set({ quality }).where('id', '=', id).execute()
}

/** @returns false when the call had ended already */
export async function markEnded(
  db: Db,
  id: string,
  end: { readonly result: string; readonly reason: string },
  nowMs: number,
): Promise<boolean> {
  const done = await db
    .updateTable('call')
    .set({ state: 'ended', ...end, ended_at_ms: nowMs })
    .where('id', '=', id)
    .where('state', '!=', 'ended')
    .executeTakeFirst()
  return done.numUpdatedRows === 1n
}
