import { describeConnectionError, findConnectionProblem } from '../database/connection-error.js'
import { startEmbeddedPostgres } from '../database/embedded.js'
import { migrate } from '../database/migrate.js'
import { migrations } from './migrations.js'
import { seed } from './seed.js'
import { StartError, type Settings } from './settings.js'

export interface PreparedDatabase {
  readonly url: string
  /** Stops what was started for it; a Postgres of someone else's goes on. */
  close(): Promise<void>
}

/**
 * A database with the newest tables, and outside production with data in them.
 *
 * @throws StartError where DATABASE_URL cannot be used, or its tables cannot be set up
 */
export async function prepareDatabase({ databaseUrl, production }: Settings): Promise<PreparedDatabase> {
  const database = databaseUrl === undefined ? await startEmbeddedPostgres() : await reachPostgres(databaseUrl)
  try {
    await migrate(database.url, migrations)
    if (!production) await seed(database.url)
    return database
  } catch (error) {
    await database.close()
    throw databaseUrl === undefined ? error : new StartError(describeConnectionError(databaseUrl, error))
  }
}

async function reachPostgres(url: string): Promise<PreparedDatabase> {
  const problem = await findConnectionProblem(url)
  if (problem !== undefined) throw new StartError(problem)
  return { url, close: () => Promise.resolve() }
}
