/** Rows of API keys and widget tokens. Only hashes are here; the comparing is in ../access. */
import type { Db } from './open.ts'

export interface StoredKey {
  readonly merchant_id: string
  readonly name: string
  readonly secret_hash: string
}

export async function allApiKeys(db: Db): Promise<StoredKey[]> {
  return db.selectFrom('api_key').selectAll().orderBy('name').execute()
}

export interface StoredWidgetToken {
  readonly id: string
  readonly merchant_id: string
  readonly call_id: string
  readonly secret_hash: string
  readonly expires_at_ms: number
}

export async function insertWidgetToken(db: Db, token: StoredWidgetToken): Promise<void> {
  await db.insertInto('widget_token').values(token).execute()
}

export async function widgetTokenById(db: Db, id: string): Promise<StoredWidgetToken | undefined> {
  return db.selectFrom('widget_token').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function countWidgetTokens(db: Db, callId: string, nowMs: number): Promise<number> {
  const row = await db
    .selectFrom('widget_token')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('call_id', '=', callId)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

export async function deleteExpiredWidgetTokens(db: Db, nowMs: number): Promise<void> {
  await db.deleteFrom('widget_token').where('expires_at_ms', '<=', nowMs).execute()
}
