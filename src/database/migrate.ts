import { createHash } from 'node:crypto'
import Postgrator from 'postgrator'
import { withLockedTransaction } from './locked-transaction.js'
import { SetupError } from './setup-error.js'

/** One step of the schema. Never edit one that has been released: its checksum is compared. */
export interface Migration {
  /** 1, 2, 3, ... */
  readonly version: number
  readonly name: string
  /** One or more statements. They run inside a transaction, so no CREATE INDEX CONCURRENTLY. */
  readonly sql: string
}

export interface MigrateOptions {
  /** The table that remembers which migrations have run. Default: `schema_migrations`. */
  readonly table?: string
}

/**
 * Brings the database to the newest version and returns the versions it applied. Safe to run again, and by several
 * instances at once: they take turns. All migrations that are due commit together or not at all.
 *
 * @param migrations the migrations, or a folder of `001.do.name.sql` files
 * @throws SetupError naming the migration that failed
 */
export async function migrate(
  connectionString: string,
  migrations: string | readonly Migration[],
  { table = 'schema_migrations' }: MigrateOptions = {}
): Promise<number[]> {
  return withLockedTransaction(connectionString, async client => {
    const options: Postgrator.PostgreSQLOptions = {
      driver: 'pg',
      schemaTable: table,
      execQuery: sql => client.query<Record<string, unknown>>(sql)
    }
    const postgrator =
      typeof migrations === 'string'
        ? new Postgrator({ ...options, migrationPattern: `${migrations}/*` })
        : new PostgratorInMemory(options, migrations)
    let what = 'setting up the tables'
    postgrator.on('migration-started', ({ version, name }) => {
      what = `migration ${version} (${name})`
    })
    try {
      const applied = await postgrator.migrate()
      return applied.map(migration => migration.version)
    } catch (error) {
      throw new SetupError(what, error)
    }
  })
}

/** Postgrator reads migrations from files only, and the TypeScript compiler does not copy SQL files. */
class PostgratorInMemory extends Postgrator {
  /** Where Postgrator's own methods look; its type declarations leave it out. */
  declare migrations: Postgrator.Migration[]
  readonly #source: readonly Migration[]

  constructor(options: Postgrator.Options, source: readonly Migration[]) {
    super(options)
    this.#source = source
  }

  override getMigrations(): Promise<Postgrator.Migration[]> {
    this.migrations = this.#source.map(({ version, name, sql }) => ({
      version,
      action: 'do',
      filename: `${version}.do.${name}.sql`,
      name,
      md5: createHash('md5').update(sql).digest('hex'),
      getSql: () => sql
    }))
    return Promise.resolve(this.migrations)
  }
}
