import type { QueryResultRow } from 'pg'
import { createPool, type ResilientPool } from '../database/pool.js'
import type { TransactionClient } from '../database/transaction-request.js'
import { untraced } from './untraced.js'

const CONNECTIONS = 2
/** Seconds. No request waits for it, and a question about a year may take a while. */
const DEADLINE = 30

/** Where history is kept, through a small pool of its own: the monitor's own work is not to be measured or traced. */
export class HistoryDatabase {
  readonly url: string
  readonly #pool: ResilientPool

  constructor(url: string) {
    this.url = url
    this.#pool = createPool({ connectionString: url, max: CONNECTIONS, name: 'history', deadline: DEADLINE })
  }

  async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return untraced(async () => (await this.#pool.query<Row>(sql, [...values])).rows)
  }

  /**
   * All of `work` or nothing, at an `isolation` such as `ISOLATION LEVEL REPEATABLE READ`. It may be done several times,
   * and twice for good where the answer to COMMIT is lost: whatever is written has to allow that.
   */
  async transaction<Result>(work: (client: TransactionClient) => Promise<Result>, isolation?: string): Promise<Result> {
    return untraced(() =>
      this.#pool.transaction(
        async client => {
          if (isolation !== undefined) await client.query(`SET TRANSACTION ${isolation}`)
          return work(client)
        },
        { repeatable: true, idempotent: true }
      )
    )
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
