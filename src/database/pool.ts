import pg from 'pg'

/** The time limits of every connection, in milliseconds. Postgres enforces the second and third itself. */
const limits = {
  connectionTimeoutMillis: 2_000,
  statement_timeout: 5_000,
  idle_in_transaction_session_timeout: 10_000
} satisfies pg.PoolConfig

export interface CreatePoolOptions {
  /** `postgres://user:password@host:5432/database` */
  readonly connectionString: string
  /** The most connections held at once; further queries wait for at most two seconds. Default: 10. */
  readonly max?: number
}

/**
 * A `pg` pool that survives Postgres going away: connections that break while idle or checked out are dropped, the
 * queries on them reject, and later queries connect anew. Listen to the pool's `error` event to hear of lost ones.
 *
 * The embedded Postgres accepts the two server-side limits and does not enforce them: WebAssembly has no timer signal.
 */
export function createPool({ connectionString, max = 10 }: CreatePoolOptions): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, keepAlive: true, ...limits })
  pool.on('error', ignore)
  // The pool listens to its clients only while they are idle: one that breaks while checked out would crash the process.
  pool.on('connect', client => client.on('error', ignore))
  return pool
}

/** Whoever runs a query on the broken connection gets the error as a rejection. */
function ignore(): void {
  return
}
