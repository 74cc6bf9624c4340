/** Captures remember whether their line was secured. Never edited after a release: a change is a new migration. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const lineSecured: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('capture')
      .addColumn('secured', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
  },
}
