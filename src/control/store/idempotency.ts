/** R7: one table for every inbound idempotency key: (scope, key, fingerprint, response). */
import type { Db } from './open.ts'

export interface StoredResponse {
  readonly fingerprint: string
  readonly status: number
  readonly response: string
}

export interface IdempotencyKey {
  readonly scope: string
  readonly key_hash: string
}

export async function storedResponse(db: Db, key: IdempotencyKey): Promise<StoredResponse | undefined> {
  return db
    .selectFrom('idempotency')
    .select(['fingerprint', 'status', 'response'])
    .where('scope', '=', key.scope)
    .where('key_hash', '=', key.key_hash)
    .executeTakeFirst()
}

export async function storeResponse(db: Db, key: IdempotencyKey, stored: StoredResponse, nowMs: number): Promise<void> {
  await db
    .insertInto('idempotency')
    .values({ ...key, ...stored, created_at_ms: nowMs })
    .execute()
}

/** For a request that was written but never sent: the same key may try again. */
export async function forgetResponse(db: Db, key: IdempotencyKey): Promise<void> {
  await db.deleteFrom('idempotency').where('scope', '=', key.scope).where('key_hash', '=', key.key_hash).execute()
}

export async function deleteResponsesBefore(db: Db, createdAtMs: number): Promise<void> {
  await db.deleteFrom('idempotency').where('created_at_ms', '<', createdAtMs).execute()
}
