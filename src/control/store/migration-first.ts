/**
 * The first schema. Only types and clauses that SQLite and PostgreSQL both know (text, integer, bigint, partial unique index),
 * so that one migration serves both. Never edited after a release: a change is a new migration.
 */
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const firstSchema: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await tenants(db)
    await callsAndCaptures(db)
    await payments(db)
    await events(db)
  },
}

async function tenants(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('partner')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('merchant')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('partner_id', 'text', (c) => c.notNull().references('partner.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('number')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('active', 'integer', (c) => c.notNull())
    .execute()
  await schema
    .createTable('gateway_account')
    .addColumn('account', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('query_lag_ms', 'bigint', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('active', 'integer', (c) => c.notNull())
    .execute()
  await schema
    .createTable('api_key')
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('secret_hash', 'text', (c) => c.notNull().unique())
    .addPrimaryKeyConstraint('api_key_pk', ['merchant_id', 'name'])
    .execute()
}

async function callsAndCaptures(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('call')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('number_id', 'text', (c) => c.notNull().references('number.id'))
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('headers', 'text', (c) => c.notNull())
    .addColumn('result', 'text')
    .addColumn('reason', 'text')
    .addColumn('started_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('answered_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .execute()
  await schema.createIndex('call_by_merchant').on('call').columns(['merchant_id', 'started_at_ms']).execute()
  await sql`create index call_live on call (merchant_id, started_at_ms) where state <> 'ended'`.execute(db)
  await schema
    .createTable('widget_token')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('call_id', 'text', (c) => c.notNull().references('call.id'))
    .addColumn('secret_hash', 'text', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('widget_token_by_call').on('widget_token').columns(['call_id', 'expires_at_ms']).execute()
  await schema
    .createTable('capture')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('call_id', 'text', (c) => c.notNull().references('call.id'))
    .addColumn('mode', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('close_reason', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('closed_at_ms', 'bigint')
    .execute()
  // At most one live capture on a call, held by the database itself.
  await sql`create unique index capture_live on capture (call_id) where state <> 'closed'`.execute(db)
  await schema.createIndex('capture_by_call').on('capture').column('call_id').execute()
  await schema
    .createTable('capture_field')
    .addColumn('capture_id', 'text', (c) => c.notNull().references('capture.id'))
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addColumn('expected', 'integer')
    .addColumn('brand', 'text')
    .addColumn('last_four', 'text')
    .addColumn('error', 'text')
    .addPrimaryKeyConstraint('capture_field_pk', ['capture_id', 'name'])
    .execute()
}

async function payments(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('merchant_order')
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('reference', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('merchant_order_pk', ['merchant_id', 'reference'])
    .execute()
  await schema
    .createTable('payment')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('order_reference', 'text', (c) => c.notNull())
    .addColumn('latest_attempt_id', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('payment_by_order').on('payment').columns(['merchant_id', 'order_reference']).execute()
  await schema
    .createTable('attempt')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('payment_id', 'text', (c) => c.notNull().references('payment.id'))
    .addColumn('call_id', 'text', (c) => c.notNull().references('call.id'))
    .addColumn('capture_id', 'text', (c) => c.notNull().references('capture.id'))
    .addColumn('gateway_account', 'text', (c) => c.notNull().references('gateway_account.account'))
    .addColumn('reference', 'text', (c) => c.notNull().unique())
    .addColumn('amount_minor', 'bigint', (c) => c.notNull())
    .addColumn('currency', 'text', (c) => c.notNull())
    .addColumn('brand', 'text')
    .addColumn('last_four', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('why', 'text')
    .addColumn('auth_code', 'text')
    .addColumn('gateway_id', 'text')
    .addColumn('decline_code', 'text')
    .addColumn('decline_advice', 'text')
    .addColumn('step', 'text')
    .addColumn('tries', 'integer', (c) => c.notNull())
    .addColumn('asked_at_ms', 'bigint')
    .addColumn('next_try_at_ms', 'bigint')
    .addColumn('unknown_since_ms', 'bigint')
    .addColumn('query_lag_ms', 'bigint', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute()
  await schema.createIndex('attempt_by_payment').on('attempt').column('payment_id').execute()
  await schema.createIndex('attempt_by_capture').on('attempt').column('capture_id').execute()
  await schema.createIndex('attempt_by_call').on('attempt').column('call_id').execute()
  await schema
    .createIndex('attempt_by_state')
    .on('attempt')
    .columns(['state', 'merchant_id', 'next_try_at_ms'])
    .execute()
  await schema
    .createTable('idempotency')
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('key_hash', 'text', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('status', 'integer', (c) => c.notNull())
    .addColumn('response', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('idempotency_pk', ['scope', 'key_hash'])
    .execute()
}

async function events(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('event')
    .addColumn('seq', 'bigint', (c) => c.primaryKey())
    .addColumn('merchant_id', 'text', (c) => c.notNull().references('merchant.id'))
    .addColumn('call_id', 'text')
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('data', 'text', (c) => c.notNull())
    .execute()
  await schema.createIndex('event_by_merchant').on('event').columns(['merchant_id', 'seq']).execute()
  await schema.createIndex('event_by_call').on('event').columns(['call_id', 'seq']).execute()
  // The number of an event comes from one row that stays locked until its transaction commits: so events are numbered in
  // the order of their commits on PostgreSQL too, and a reader that has seen n never finds n-1 later.
  await schema
    .createTable('counter')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('last', 'bigint', (c) => c.notNull())
    .execute()
  await sql`insert into counter (name, last) values ('event', 0)`.execute(db)
}
