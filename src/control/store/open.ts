/** The only opener of the database, and the only way to write to it: `transact`. */
import { chmodSync, closeSync, existsSync, openSync, realpathSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import { Kysely, SqliteDialect, type Transaction } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { controlLimits } from '../../lib/limits.ts'
import { callQualityColumn } from './migration-call-quality.ts'
import { firstSchema } from './migration-first.ts'
import { lineSecured } from './migration-line-secured.ts'
import { uncertainKeys } from './migration-uncertain-keys.ts'
import { type Lane, Turns } from './queue.ts'
import type { Tables } from './schema.ts'

/** A reader or a transaction: what every query function takes. */
export type Db = Kysely<Tables>

export interface Tx {
  readonly db: Transaction<Tables>
  /** Runs after the commit is on disk, in the order of commits; never runs when the transaction fails. Must not throw. */
  afterCommit(effect: () => void): void
}

export interface Store {
  readonly db: Db
  /**
   * One writer at a time; `reports` have a lane of their own, which the API's load does not fill.
   * @throws TonewallError TOO_MANY when too many `orders` wait; whatever `work` throws, after a roll-back
   */
  transact<T>(work: (tx: Tx) => Promise<T>, lane?: Lane): Promise<T>
  close(): Promise<void>
}

/** In order, by name; a released migration is never edited or renamed. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-first-schema': firstSchema,
  '0002-uncertain-keys': uncertainKeys,
  '0003-call-quality': callQualityColumn,
  '0004-line-secured': lineSecured,
}

/** Another process has this store open. Two would each take the other's live calls for lost. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse'
  readonly code = 'STORE_IN_USE'

  constructor() {
    super('store: the file is in use by another process')
  }
}

/**
 * Opens the SQLite file (made if absent, readable by its owner only), locks it for this process and brings its schema up to date.
 * A commit is on disk when it returns (`synchronous=FULL` in WAL mode): payments depend on that.
 * @throws StoreInUse before anything is read or written; or when the file cannot be opened or a migration fails
 */
export async function openStore(path: string): Promise<Store> {
  makePrivate(path)
  // By its real name, so that a link to the file is not a way around the lock.
  const unlock = lockStore(`${realpathSync(path)}.lock`)
  try {
    return await openLocked(path, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

/** Makes the file if absent, and closes it to all but its owner; what SQLite puts beside it has the same mode. */
function makePrivate(path: string): void {
  // Only a file that is not there is opened: closing a descriptor would drop this process's locks on it (POSIX fcntl).
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

/**
 * The lock is a transaction on a second file that stays open until the store is closed; the system ends it with the process,
 * however that dies, so no stale lock is ever left to clear by hand.
 * @returns the way to unlock
 */
function lockStore(lockPath: string): () => void {
  makePrivate(lockPath)
  const lock = new SqliteDatabase(lockPath, { timeout: 0 })
  try {
    lock.pragma('locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw (error as { readonly code?: unknown }).code === 'SQLITE_BUSY' ? new StoreInUse() : error
  }
  return () => void lock.close()
}

async function openLocked(path: string, unlock: () => void): Promise<Store> {
  const sqlite = new SqliteDatabase(path)
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('foreign_keys = ON')
  sqlite.pragma('busy_timeout = 5000')
  // What is deleted is overwritten, so that an old file never holds more than its rows.
  sqlite.pragma('secure_delete = ON')
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: sqlite }) })
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) {
    await db.destroy()
    throw new Error('store: a migration failed', { cause: error })
  }
  return storeOf(db, unlock)
}

function storeOf(db: Db, unlock: () => void): Store {
  const turns = new Turns(controlLimits.transactionsWaitingMax)

  const run = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const effects: (() => void)[] = []
    const value = await db
      .transaction()
      .execute((transaction) => work({ db: transaction, afterCommit: (effect) => effects.push(effect) }))
    for (const effect of effects) effect()
    return value
  }

  return {
    db,
    transact: (work, lane = 'orders') => turns.take(lane, () => run(work)),
    async close() {
      await turns.idle()
      await db.destroy()
      unlock()
    },
  }
}
