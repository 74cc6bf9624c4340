/** The event table: numbered over the whole store in the order of commits, replayable, digit-free. */
import type { Db, Tx } from './open.ts'
import type { EventRow } from './schema.ts'

export interface NewEvent {
  readonly merchant: string
  readonly callId: string | undefined
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Appends one event in the given transaction. @returns the row with its number */
export async function appendEvent(tx: Tx, event: NewEvent, nowMs: number): Promise<EventRow> {
  const { last } = await tx.db
    .updateTable('counter')
    .set((eb) => ({ last: eb('last', '+', 1) }))
    .where('name', '=', 'event')
    .returning('last')
    .executeTakeFirstOrThrow()
  const row: EventRow = {
    seq: last,
    merchant_id: event.merchant,
    call_id: event.callId ?? null,
    type: event.type,
    at_ms: nowMs,
    data: JSON.stringify(event.data),
  }
  await tx.db.insertInto('event').values(row).execute()
  return row
}

/** Which events a reader may see: all of a merchant, or those of one call and the merchant's that belong to no call. */
export interface EventScope {
  readonly merchant: string
  readonly callId: string | undefined
}

export function inScope(row: EventRow, scope: EventScope): boolean {
  if (row.merchant_id !== scope.merchant) return false
  return scope.callId === undefined || row.call_id === null || row.call_id === scope.callId
}

/** @returns up to `rowsMax` events of the scope numbered above `after` and up to `upTo`, oldest first */
export async function eventsBetween(
  db: Db,
  scope: EventScope,
  after: number,
  upTo: number,
  rowsMax: number,
): Promise<EventRow[]> {
  const { merchant, callId } = scope
  let query = db.selectFrom('event').selectAll().where('merchant_id', '=', merchant)
  query = query.where('seq', '>', after).where('seq', '<=', upTo)
  if (callId !== undefined) query = query.where((eb) => eb.or([eb('call_id', '=', callId), eb('call_id', 'is', null)]))
  return query.orderBy('seq').limit(rowsMax).execute()
}

/**
 * Deletes the oldest events, as far as they are older than `beforeMs`. Their numbers are not given again: a reader that comes
 * back with an older one goes on with what is left.
 * @returns how many were deleted; `rowsMax` means that there may be more
 */
export async function deleteEventsBefore(db: Db, beforeMs: number, rowsMax: number): Promise<number> {
  // By number, which follows the time, so that no index on the time is needed and the search ends at the first young one.
  const oldest = await db.selectFrom('event').select(['seq', 'at_ms']).orderBy('seq').limit(rowsMax).execute()
  const young = oldest.findIndex(({ at_ms: atMs }) => atMs >= beforeMs)
  const count = young === -1 ? oldest.length : young
  const last = oldest[count - 1]
  if (last !== undefined) await db.deleteFrom('event').where('seq', '<=', last.seq).execute()
  return count
}

/** @returns the number of the first event of a call, minus one: where a replay of the call starts; 0 if there is none */
export async function beforeFirstEventOf(db: Db, callId: string): Promise<number> {
  const row = await db
    .selectFrom('event')
    .select((eb) => eb.fn.min('seq').as('first'))
    .where('call_id', '=', callId)
    .executeTakeFirst()
  return row?.first === null || row?.first === undefined ? 0 : row.first - 1
}

export async function lastEventSeq(db: Db): Promise<number> {
  const row = await db.selectFrom('counter').select('last').where('name', '=', 'event').executeTakeFirstOrThrow()
  return row.last
}
