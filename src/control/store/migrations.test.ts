import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import SqliteDatabase from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { captureById, updateField } from './captures.ts'
import { firstSchema } from './migration-first.ts'
import { openStore } from './open.ts'

/** A store of the first release, with a call and a capture in it. */
async function writeFirstRelease(file: string): Promise<void> {
  const sqlite = new SqliteDatabase(file)
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: sqlite }) })
  const migrations = { '0001-first-schema': firstSchema }
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  }).migrateToLatest()
  assert.equal(error, undefined)
  sqlite.exec(`
    insert into partner values ('self', 'Self');
    insert into merchant values ('shop', 'self', 'Shop');
    insert into number values ('sales', 'shop', 1);
    insert into call (id, merchant_id, number_id, state, headers, started_at_ms)
      values ('CALL', 'shop', 'sales', 'answered', '[]', 1);
    insert into capture (id, merchant_id, call_id, mode, state, created_at_ms)
      values ('CAPTURE', 'shop', 'CALL', 'field', 'open', 1);
    insert into capture_field (capture_id, merchant_id, name, position, state, count)
      values ('CAPTURE', 'shop', 'expiry', 0, 'collecting', 2);
  `)
  await db.destroy()
}

test('a store of the first release is brought up to date, and what is in it stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tonewall-store-'))
  const file = join(folder, 'store.db')
  await writeFirstRelease(file)
  const store = await openStore(file)
  const before = await captureById(store.db, 'CAPTURE')
  assert.deepEqual(
    before?.fields.map(({ name, count, uncertain, uncertain_at: at }) => [name, count, uncertain, at]),
    [['expiry', 2, null, null]],
  )
  const field = before?.fields[0]
  assert.ok(field !== undefined)
  await store.transact(({ db }) => updateField(db, 'CAPTURE', 'expiry', { ...field, uncertain: 'too-near' }))
  assert.equal((await captureById(store.db, 'CAPTURE'))?.fields[0]?.uncertain, 'too-near')
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
