import type { FastifyInstance } from 'fastify'
import type pg from 'pg'
import type { Test } from 'tap'
// The built files are tested, as they are what runs: the embedded Postgres is a worker, and the Tracker imports the
// package by its name. `npm test` builds them first.
import { startEmbeddedPostgres } from '../../dist/database/embedded.js'
import { migrate } from '../../dist/database/migrate.js'
import { createPool } from '../../dist/database/pool.js'
import { createTracker, type TrackerOptions } from '../../dist/tracker/app.js'
import { migrations } from '../../dist/tracker/migrations.js'
import { seed } from '../../dist/tracker/seed.js'

export interface GraphQLAnswer {
  readonly status: number
  readonly data?: Record<string, never> | null
  readonly errors?: readonly {
    readonly message: string
    readonly path?: readonly string[]
    readonly extensions?: { readonly code?: string }
  }[]
}

export interface RunningTracker {
  readonly app: FastifyInstance
  readonly pool: pg.Pool
  readonly url: string
  readonly ask: (query: string, variables?: Record<string, unknown>) => Promise<GraphQLAnswer>
}

/** A Tracker over seeded embedded Postgres, listening on a free port, until the test ends. */
export async function startTracker(t: Test, options: Partial<TrackerOptions> = {}): Promise<RunningTracker> {
  const database = await startEmbeddedPostgres()
  t.teardown(() => database.close())
  await migrate(database.url, migrations)
  await seed(database.url)
  return serve(t, database.url, options)
}

/** A Tracker over the database at `databaseUrl`. */
export async function serve(
  t: Test,
  databaseUrl: string,
  options: Partial<TrackerOptions> = {}
): Promise<RunningTracker> {
  const pool = options.pool ?? createPool({ connectionString: databaseUrl })
  const app = await createTracker({ production: false, ...options, pool })
  t.teardown(async () => {
    await app.close()
    await pool.end()
  })
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/graphql`
  return { app, pool, url, ask: (query, variables) => post(url, { query, variables }) }
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<GraphQLAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })
  return read(response)
}

export async function get(url: string, parameters: Record<string, string>): Promise<GraphQLAnswer> {
  const response = await fetch(`${url}?${new URLSearchParams(parameters).toString()}`, {
    headers: { 'mercurius-require-preflight': '1' }
  })
  return read(response)
}

async function read(response: Response): Promise<GraphQLAnswer> {
  return { status: response.status, ...((await response.json()) as object) }
}

export function codesOf({ errors }: Pick<GraphQLAnswer, 'errors'>): (string | undefined)[] {
  return (errors ?? []).map(error => error.extensions?.code)
}
