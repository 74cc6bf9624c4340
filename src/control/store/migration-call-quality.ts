/** Calls remember their quality. Never edited after a release: a change is a new migration. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const callQualityColumn: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('call').addColumn('quality', 'text').execute()
  },
}
