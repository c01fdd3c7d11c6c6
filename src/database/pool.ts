import { AsyncResource } from 'node:async_hooks'
import { createRequire } from 'node:module'
import type { EventEmitter } from 'node:events'
import type pg from 'pg'
import type { PoolClient, PoolConfig, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { PerformanceError } from '../errors.js'
import { codeOf } from './failure.js'
import { PoolGroup } from './pool-group.js'
import { deadlineOf, resolvePoolOptions, type CreatePoolOptions, type ResolvedPoolOptions } from './pool-options.js'
import { ConnectRequest, QueryRequest, type QueryRetryOptions } from './query-request.js'
import { PoolState, type StatedPool } from './pool-state.js'
import { promised } from './promised.js'
import type { Done } from './request.js'
import { isSubmittable } from './submittable.js'
import { TransactionRequest, type TransactionOptions, type TransactionWork } from './transaction-request.js'

/** A `pg.Pool` that retries what provably did not happen or may be done twice, and settles by a deadline. */
export interface ResilientPool extends pg.Pool {
  query: pg.Pool['query'] &
    (<Row extends QueryResultRow>(config: QueryConfig & QueryRetryOptions) => Promise<QueryResult<Row>>)
  /**
   * Runs `work` between BEGIN and COMMIT on one connection. What it throws rolls all back and comes out as it is.
   *
   * @throws PerformanceError MPERF_DATABASE_DEADLINE: it did not happen; MPERF_OUTCOME_UNKNOWN: the answer to COMMIT was
   *   lost; MPERF_TRANSACTION_ROLLED_BACK: `work` kept the error of a statement to itself
   */
  transaction<Result>(work: TransactionWork<Result>, options?: TransactionOptions): Promise<Result>
}

/**
 * A pool in the place of `new pg.Pool(options)`. Connections that break are replaced; what provably did not happen is
 * tried again, up to three times, within a deadline and a budget that the pools of `group` share. An error whose
 * statement may have happened says so.
 *
 * The embedded Postgres accepts the two server-side limits and does not enforce them: WebAssembly has no timer signal.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID
 */
export function createPool(options: CreatePoolOptions, group = new PoolGroup()): ResilientPool {
  const resolved = resolvePoolOptions(options)
  // Loaded here: whoever imports this package may have no pg, or may not have started its instrumentation yet.
  const { Pool } = loadPg()
  const pool = new (resilient(Pool))(resolved, group)
  return pool as unknown as ResilientPool
}

type ConnectCallback = (error: unknown, client: PoolClient | undefined, release: (error?: unknown) => void) => void

type EndCallback = (error?: unknown) => void

/** pg's pool without its overloads. */
interface PlainPool extends EventEmitter {
  readonly totalCount: number
  readonly idleCount: number
  connect(callback?: ConnectCallback): unknown
  query(config: unknown, values?: unknown, callback?: unknown): unknown
  end(callback?: EndCallback): unknown
}

type PoolClass = new (config: PoolConfig) => PlainPool

function resilient(Pool: PoolClass) {
  return class ResilientPool extends Pool {
    readonly #deadline: number
    readonly #state: PoolState

    constructor({ name, deadline, ...config }: ResolvedPoolOptions, group: PoolGroup) {
      super({ keepAlive: true, ...config })
      this.#deadline = deadline * 1_000
      this.#state = new PoolState(this, { name, max: config.max }, group)
      this.on('error', ignore)
      // The pool listens to its clients only while they are idle: one that breaks while checked out would crash the process.
      this.on('connect', (client: PoolClient) => {
        client.on('error', () => {
          this.#state.lost(client)
        })
      })
    }

    override query(config: unknown, values?: unknown, callback?: unknown): unknown {
      // Cursors and streams send their statements as they are read, so that they cannot be repeated.
      if (typeof config === 'function' || isSubmittable(config)) return super.query(config, values, callback)
      const isCallback = typeof values === 'function'
      const done = isCallback ? values : callback
      const start = (settled: Done<QueryResult>): void => {
        const statement = config as string | (QueryConfig & QueryRetryOptions)
        const deadline = this.#deadlineOf(statement as QueryRetryOptions | undefined)
        new QueryRequest(this.#state, deadline, statement, isCallback ? undefined : values, settled).start()
      }
      if (typeof done !== 'function') return promised(start)
      start(AsyncResource.bind(done as Done<QueryResult>))
      return undefined
    }

    override connect(callback?: ConnectCallback): unknown {
      const start = (settled: Done<PoolClient>): void => {
        new ConnectRequest(this.#state, this.#deadline, settled).start()
      }
      if (callback === undefined) return promised(start)
      start(
        AsyncResource.bind((error: Error | undefined, client: PoolClient | undefined) => {
          callback(error, client, released => client?.release(released as Error | undefined))
        })
      )
      return undefined
    }

    transaction<Result>(work: TransactionWork<Result>, options: TransactionOptions = {}): Promise<Result> {
      let thrown: unknown
      const watched: TransactionWork<Result> = async client => {
        try {
          return await work(client)
        } catch (error) {
          thrown = error
          throw error
        }
      }
      return promised(
        settled => {
          new TransactionRequest(this.#state, this.#deadlineOf(options), watched, options, settled).start()
        },
        // What the callback throws says where in it that was.
        error => error === thrown
      )
    }

    override end(callback?: EndCallback): unknown {
      this.#state.isEnding = true
      if (callback === undefined) {
        return (super.end() as Promise<void>).then(() => {
          this.#state.ended()
        })
      }
      return super.end(error => {
        // Called a second time, it is refused and may still be ending.
        if (error === undefined) this.#state.ended()
        callback(error)
      })
    }

    acquire(callback: Parameters<StatedPool['acquire']>[0]): void {
      super.connect(callback)
    }

    #deadlineOf(options: QueryRetryOptions | TransactionOptions | undefined): number {
      return options?.deadline === undefined ? this.#deadline : deadlineOf(options.deadline)
    }
  }
}

function loadPg(): typeof pg {
  try {
    return createRequire(import.meta.url)('pg') as typeof pg
  } catch (error) {
    // Something that pg itself requires and does not find is another matter.
    const isMissing = codeOf(error) === 'MODULE_NOT_FOUND' && (error as Error).message.includes("'pg'")
    if (!isMissing) throw error
    const seen = 'the package pg is not installed, which createPool and history need: npm install pg'
    throw new PerformanceError('MPERF_CONFIG_INVALID', seen, { cause: error })
  }
}

/** Whoever uses a broken connection gets the error by himself; an application may listen as well. */
function ignore(): void {
  return
}
