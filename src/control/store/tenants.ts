/** Merchants, numbers, gateway accounts and API keys: they come from the configuration at every start. */
import { lettersOf } from './letters.ts'
import type { Db, Store } from './open.ts'

export interface Tenants {
  readonly merchants: readonly { readonly id: string; readonly name: string }[]
  readonly numbers: readonly { readonly id: string; readonly merchant: string }[]
  readonly gatewayAccounts: readonly {
    readonly account: string
    readonly merchant: string
    readonly queryLagMs: number
  }[]
  /** `secret` is the SHA-256 of the key, 32 octets. */
  readonly apiKeys: readonly { readonly name: string; readonly merchant: string; readonly secret: Uint8Array }[]
}

/** The one partner of an installation that has not been divided yet. */
const PARTNER = 'own'

/**
 * Makes the tables say what the configuration says. Numbers and accounts that vanished are kept, inactive, because calls and
 * attempts refer to them; keys that vanished stop working.
 */
export async function syncTenants(store: Store, tenants: Tenants): Promise<void> {
  await store.transact(async ({ db }) => {
    await syncMerchants(db, tenants)
    await db.updateTable('number').set({ active: 0 }).execute()
    for (const { id, merchant } of tenants.numbers) {
      const row = { merchant_id: merchant, active: 1 }
      await db
        .insertInto('number')
        .values({ id, ...row })
        .onConflict((c) => c.column('id').doUpdateSet(row))
        .execute()
    }
    await syncGatewayAccounts(db, tenants)
    await db.deleteFrom('api_key').execute()
    for (const { name, merchant, secret } of tenants.apiKeys) {
      await db
        .insertInto('api_key')
        .values({ merchant_id: merchant, name, secret_hash: lettersOf(secret) })
        .execute()
    }
  })
}

async function syncMerchants(db: Db, tenants: Tenants): Promise<void> {
  const keep = { name: PARTNER }
  await db
    .insertInto('partner')
    .values({ id: PARTNER, ...keep })
    .onConflict((c) => c.column('id').doNothing())
    .execute()
  for (const { id, name } of tenants.merchants) {
    await db
      .insertInto('merchant')
      .values({ id, partner_id: PARTNER, name })
      .onConflict((c) => c.column('id').doUpdateSet({ name }))
      .execute()
  }
}

async function syncGatewayAccounts(db: Db, tenants: Tenants): Promise<void> {
  await db.updateTable('gateway_account').set({ active: 0 }).execute()
  for (const [position, { account, merchant, queryLagMs }] of tenants.gatewayAccounts.entries()) {
    const row = { merchant_id: merchant, query_lag_ms: queryLagMs, position, active: 1 }
    await db
      .insertInto('gateway_account')
      .values({ account, ...row })
      .onConflict((c) => c.column('account').doUpdateSet(row))
      .execute()
  }
}

/** @returns the merchant that owns a number, or undefined */
export async function merchantOfNumber(db: Db, number: string): Promise<string | undefined> {
  const row = await db.selectFrom('number').select('merchant_id').where('id', '=', number).executeTakeFirst()
  return row?.merchant_id
}

export async function merchantIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('merchant').select('id').orderBy('id').execute()
  return rows.map((row) => row.id)
}

/** @returns the named active account of the merchant, or its first one when no name is given */
export async function gatewayAccountOf(
  db: Db,
  merchant: string,
  account: string | undefined,
): Promise<{ account: string; query_lag_ms: number } | undefined> {
  let query = db
    .selectFrom('gateway_account')
    .select(['account', 'query_lag_ms'])
    .where('merchant_id', '=', merchant)
    .where('active', '=', 1)
    .orderBy('position')
  if (account !== undefined) query = query.where('account', '=', account)
  return query.executeTakeFirst()
}
