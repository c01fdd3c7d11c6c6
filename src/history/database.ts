import type { Pool, PoolClient, QueryResultRow } from 'pg'
import { createPool } from '../database/pool.js'
import { untraced } from './untraced.js'

const CONNECTIONS = 2

/** Where history is kept, through a small pool of its own: the monitor's own work is not to be measured or traced. */
export class HistoryDatabase {
  readonly url: string
  readonly #pool: Pool

  constructor(url: string) {
    this.url = url
    this.#pool = createPool({ connectionString: url, max: CONNECTIONS })
  }

  async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return untraced(async () => (await this.#pool.query<Row>(sql, [...values])).rows)
  }

  /**
   * All of `work` or nothing. Whether it was committed is not known where the connection is lost while it is: whatever
   * is written has to be so that it can be written again.
   */
  async transaction<Result>(work: (client: PoolClient) => Promise<Result>, isolation = ''): Promise<Result> {
    return untraced(async () => {
      const client = await this.#pool.connect()
      try {
        await client.query(`BEGIN ${isolation}`)
        const result = await work(client)
        const { command } = await client.query('COMMIT')
        if (command !== 'COMMIT') throw new Error('Postgres rolled the transaction back instead of committing it')
        client.release()
        return result
      } catch (error) {
        await client.query('ROLLBACK').then(
          () => {
            client.release()
          },
          (lost: unknown) => {
            client.release(lost instanceof Error ? lost : true)
          }
        )
        throw error
      }
    })
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
