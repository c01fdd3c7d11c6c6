import { context } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import pg from 'pg'
import { SetupError } from './setup-error.js'

/** Any number will do, as long as every instance of the application uses the same one. ASCII for 'MPER'. */
const LOCK = 0x4d504552
const CONNECT_TIMEOUT_MILLISECONDS = 5_000
const LOCK_TIMEOUT_SECONDS = 60

/**
 * Runs `work` in one transaction on a connection of its own, while no other instance runs one: the next waits up to a
 * minute. All of it happens or nothing. Not traced: preparing the database is none of the API's traffic.
 *
 * The lock is taken inside the transaction because embedded Postgres has a single session, in which everyone holds
 * every advisory lock; there it is the open transaction that makes others wait.
 *
 * @throws SetupError for all that fails once it is connected
 */
export async function withLockedTransaction<Result>(
  connectionString: string,
  work: (client: pg.Client) => Promise<Result>
): Promise<Result> {
  return context.with(suppressTracing(context.active()), async () => {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
      keepAlive: true
    })
    // Without a listener a connection that breaks would crash the process; the query on it rejects as well.
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await lockAndRun(client, work)
    } finally {
      await client.end()
    }
  })
}

async function lockAndRun<Result>(client: pg.Client, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  try {
    await client.query('BEGIN')
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT_SECONDS}s'`)
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    const result = await work(client)
    const { command } = await client.query('COMMIT')
    // Postgres answers the COMMIT of a failed transaction without an error, by rolling it back.
    if (command !== 'COMMIT') throw new Error('Postgres rolled the transaction back instead of committing it')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error instanceof SetupError ? error : new SetupError('setting up the database', error)
  }
}
