/** Fields remember that one of their keys was not clear. Never edited after a release: a change is a new migration. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const uncertainKeys: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    // One column at a time: SQLite adds no two in one statement.
    await db.schema.alterTable('capture_field').addColumn('uncertain', 'text').execute()
    await db.schema.alterTable('capture_field').addColumn('uncertain_at', 'integer').execute()
  },
}
