import type { QueryResultRow } from 'pg'
import { createPool, type ResilientPool } from '../../database/pool.js'
import type { TransactionClient } from '../../database/transaction-request.js'
import { codeOf } from '../problems.js'
import { types } from './types.js'
import { untraced } from '../untraced.js'

const CONNECTIONS = 2
const READ_ONLY = '25006'
/** Seconds. No request waits for it, and a question about a year may take a while. */
const DEADLINE = 30

/** Dates are written as they are parsed, whatever the database has set. */
const LIMITS = `SET LOCAL statement_timeout = '${DEADLINE}s'; SET LOCAL idle_in_transaction_session_timeout = '${DEADLINE}s';
  SET LOCAL DateStyle = 'ISO'; SET LOCAL bytea_output = 'hex'`

/** Where history is kept, through a small pool of its own: the monitor's own work is not to be measured or traced. */
export class HistoryDatabase {
  readonly url: string
  readonly #patience: number
  #pool: ResilientPool
  #isClosed = false

  /** `patience` is how many milliseconds making a connection, or waiting for one, may take. */
  constructor(url: string, patience = 5_000) {
    this.url = url
    this.#patience = patience
    this.#pool = this.#connect()
  }

  async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.transaction(async client => (await client.query<Row>(sql, [...values])).rows)
  }

  /**
   * All of `work` or nothing, at an `isolation` such as `ISOLATION LEVEL REPEATABLE READ`. It may be done several times,
   * and twice for good where the answer to COMMIT is lost: whatever is written has to allow that.
   */
  async transaction<Result>(work: (client: TransactionClient) => Promise<Result>, isolation?: string): Promise<Result> {
    try {
      return await untraced(() =>
        this.#pool.transaction(
          async client => {
            await client.query(isolation === undefined ? LIMITS : `SET TRANSACTION ${isolation}; ${LIMITS}`)
            return work(client)
          },
          { repeatable: true, idempotent: true }
        )
      )
    } catch (error) {
      // Connections remember that the server is a standby, or was set read-only, when neither is so any more.
      if (codeOf(error) === READ_ONLY) this.#renew()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#pool.end()
  }

  /** What was closed stays closed: a pool refuses to be ended twice, and nobody would end a new one. */
  #renew(): void {
    if (this.#isClosed) return
    // Nobody waits for it.
    this.#pool.end().catch(() => undefined)
    this.#pool = this.#connect()
  }

  #connect(): ResilientPool {
    return createPool({
      connectionString: this.url,
      max: CONNECTIONS,
      name: 'history',
      deadline: DEADLINE,
      connectionTimeoutMillis: this.#patience,
      // Set in each transaction instead: connection poolers refuse them where a connection begins.
      statement_timeout: 0,
      idle_in_transaction_session_timeout: 0,
      allowExitOnIdle: true,
      types
    })
  }
}
