import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import SqliteDatabase from 'better-sqlite3'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import { seededRandom } from '../../lib/random.ts'
import { insertCall } from './calls.ts'
import { insertCapture } from './captures.ts'
import { appendEvent, deleteEventsBefore, eventsBetween, lastEventSeq } from './events.ts'
import { lettersOf } from './letters.ts'
import { openStore, type Store } from './open.ts'
import type { CallRow, CaptureRow } from './schema.ts'
import { gatewayAccountOf, syncTenants, type Tenants } from './tenants.ts'

const tenants: Tenants = {
  merchants: [{ id: 'shop', name: 'Shop' }],
  numbers: [{ id: 'sales', merchant: 'shop' }],
  gatewayAccounts: [
    { account: 'first', merchant: 'shop', queryLagMs: 1 },
    { account: 'second', merchant: 'shop', queryLagMs: 1 },
  ],
  apiKeys: [],
}

class TempStore implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tonewall-store-'))
  readonly file = join(this.folder, 'store.db')
  store!: Store

  static async open(): Promise<TempStore> {
    const temp = new TempStore()
    temp.store = await openStore(temp.file)
    await syncTenants(temp.store, tenants)
    return temp
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const event = (type: string) => ({ merchant: 'shop', callId: undefined, type, data: {} })

test('old events go, the oldest first and no more at once than asked for; younger ones, and all numbers, stay', async () => {
  await using temp = await TempStore.open()
  const { store } = temp
  for (const atMs of [10, 20, 30, 40, 50]) await store.transact((tx) => appendEvent(tx, event('one'), atMs))
  const drop = (beforeMs: number, rowsMax: number) =>
    store.transact(({ db }) => deleteEventsBefore(db, beforeMs, rowsMax))
  const left = async () =>
    (await eventsBetween(store.db, { merchant: 'shop', callId: undefined }, 0, 99, 99)).map(({ seq }) => seq)
  assert.equal(await drop(40, 2), 2)
  assert.deepEqual(await left(), [3, 4, 5])
  assert.equal(await drop(40, 2), 1)
  assert.equal(await drop(40, 2), 0)
  assert.deepEqual(await left(), [4, 5])
  assert.equal(await drop(99, 9), 2)
  assert.equal((await store.transact((tx) => appendEvent(tx, event('two'), 60))).seq, 6)
})

test('a failed transaction leaves no row, no event number and runs no effect', async () => {
  await using temp = await TempStore.open()
  const { store } = temp
  const effects: string[] = []
  const failing = store.transact(async (tx) => {
    await appendEvent(tx, event('one'), 1)
    tx.afterCommit(() => effects.push('one'))
    throw new Error('no')
  })
  await assert.rejects(failing, /no/)
  await store.transact(async (tx) => {
    await appendEvent(tx, event('two'), 1)
    tx.afterCommit(() => effects.push('two'))
  })
  assert.deepEqual(effects, ['two'])
  const rows = await eventsBetween(store.db, { merchant: 'shop', callId: undefined }, 0, 100, 100)
  assert.deepEqual(
    rows.map(({ seq, type }) => [seq, type]),
    [[1, 'two']],
  )
})

test('events are numbered without gap in the order of their commits, whoever writes at the same time', async () => {
  await using temp = await TempStore.open()
  const { store } = temp
  const seen: number[] = []
  const writers = Array.from({ length: 30 }, (_, i) =>
    store.transact(async (tx) => {
      const row = await appendEvent(tx, event(`writer-${i}`), i)
      tx.afterCommit(() => seen.push(row.seq))
    }),
  )
  await Promise.all(writers)
  assert.deepEqual(
    seen,
    Array.from({ length: 30 }, (_, i) => i + 1),
  )
  assert.equal(await lastEventSeq(store.db), 30)
})

test('numbering goes on after the store is opened again, and the migrations run once', async () => {
  await using temp = await TempStore.open()
  await temp.store.transact((tx) => appendEvent(tx, event('before'), 1))
  await temp.store.close()
  temp.store = await openStore(temp.file)
  const row = await temp.store.transact((tx) => appendEvent(tx, event('after'), 2))
  assert.equal(row.seq, 2)
})

test('a commit is on disk when it returns: WAL, full synchronisation, foreign keys', async () => {
  await using temp = await TempStore.open()
  const other = new SqliteDatabase(temp.file, { readonly: true })
  assert.equal(other.pragma('journal_mode', { simple: true }), 'wal')
  other.close()
  const { rows } = await temp.store.db.executeQuery<{ synchronous: number }>({
    ...temp.store.db.selectFrom('counter').selectAll().compile(),
    sql: 'pragma synchronous',
    parameters: [],
  })
  assert.equal(rows[0]?.synchronous, 2)
  const orphan = temp.store.db.insertInto('number').values({ id: 'n', merchant_id: 'nobody', active: 1 }).execute()
  await assert.rejects(orphan, /FOREIGN KEY/)
})

test('the database itself refuses a second live capture on one call', async () => {
  await using temp = await TempStore.open()
  const { db } = temp.store
  const ends = { result: null, reason: null, answered_at_ms: 1, ended_at_ms: null, quality: null }
  const call: CallRow = {
    id: 'C',
    merchant_id: 'shop',
    number_id: 'sales',
    state: 'answered',
    headers: '[]',
    started_at_ms: 1,
    ...ends,
  }
  const capture: CaptureRow = {
    id: 'A',
    merchant_id: 'shop',
    call_id: 'C',
    mode: 'field',
    state: 'open',
    close_reason: null,
    created_at_ms: 1,
    closed_at_ms: null,
    secured: 0,
  }
  await insertCall(db, call)
  await insertCapture(db, capture, ['expiry'])
  await assert.rejects(insertCapture(db, { ...capture, id: 'B' }, ['expiry']), /UNIQUE/)
  await insertCapture(db, { ...capture, id: 'D', state: 'closed' }, ['expiry'])
})

test("the merchant's first account is the default, a named one must be its own and active", async () => {
  await using temp = await TempStore.open()
  const { db } = temp.store
  assert.equal((await gatewayAccountOf(db, 'shop', undefined))?.account, 'first')
  assert.equal((await gatewayAccountOf(db, 'shop', 'second'))?.account, 'second')
  assert.equal(await gatewayAccountOf(db, 'other', 'second'), undefined)
  await syncTenants(temp.store, { ...tenants, gatewayAccounts: tenants.gatewayAccounts.slice(1) })
  assert.equal((await gatewayAccountOf(db, 'shop', undefined))?.account, 'second')
  assert.equal(await gatewayAccountOf(db, 'shop', 'first'), undefined)
})

test('letters carry every octet and no digit', () => {
  assert.equal(lettersOf(Uint8Array.of(0, 1, 0x4f, 255)), 'aaabepPP'.toLowerCase())
  assert.equal(findCardNumber(lettersOf(seededRandom(7)(4_000))), -1)
  assert.match(lettersOf(seededRandom(7)(100)), /^[a-p]{200}$/)
})

test('a second opener is refused before it has written, by any name of the file, until the first has closed', async () => {
  await using temp = await TempStore.open()
  const link = join(temp.folder, 'link.db')
  symlinkSync(temp.file, link)
  await assert.rejects(openStore(temp.file), { code: 'STORE_IN_USE' })
  await assert.rejects(openStore(link), { code: 'STORE_IN_USE' })
  // The refused opener must not have dropped the lock of the first.
  await assert.rejects(openStore(temp.file), { code: 'STORE_IN_USE' })
  await temp.store.close()
  temp.store = await openStore(link)
})

test('the lock ends with its process, however that dies', async () => {
  await using temp = await TempStore.open()
  const opener = `await (await import(${JSON.stringify(import.meta.resolve('./open.ts'))})).openStore(process.argv[1])`
  const run = (script: string): number | null =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script, temp.file]).status
  assert.equal(run(`try { ${opener} } catch (error) { process.exit(error.code === 'STORE_IN_USE' ? 7 : 1) }`), 7)
  await temp.store.close()
  assert.equal(run(`${opener}; process.kill(process.pid, 'SIGKILL')`), null)
  assert.ok(existsSync(`${temp.file}.lock`))
  temp.store = await openStore(temp.file)
})

test("the store's files are for their owner only, also when they were not before", async () => {
  await using temp = await TempStore.open()
  const modes = (): number[] => ['', '-wal', '-shm', '.lock'].map((end) => statSync(temp.file + end).mode & 0o777)
  assert.deepEqual(modes(), [0o600, 0o600, 0o600, 0o600])
  await temp.store.close()
  chmodSync(temp.file, 0o644)
  temp.store = await openStore(temp.file)
  assert.deepEqual(modes(), [0o600, 0o600, 0o600, 0o600])
})
