import type { PoolClient, QueryConfig, QueryResult } from 'pg'
import { statementFailure } from './failure.js'
import { isRead, isUndoneAsAWhole } from './reads.js'
import { DatabaseRequest, type Done, type RequestPool } from './request.js'

/** What one call of `query` may say besides what pg knows. */
export interface QueryRetryOptions {
  /** Whether doing it twice is doing it once, such as an upsert of absolute values. Default: false. */
  readonly idempotent?: boolean
  /** Seconds; default: the pool's. */
  readonly deadline?: number
}

type RunQuery = (config: unknown, values: unknown, callback: (error: Error | null, result: QueryResult) => void) => void

/** A statement of its own, outside of a transaction. */
export class QueryRequest extends DatabaseRequest<QueryResult> {
  readonly #config: string | (QueryConfig & QueryRetryOptions)
  readonly #values: unknown
  #wasLost = false

  constructor(
    pool: RequestPool,
    deadline: number,
    config: string | (QueryConfig & QueryRetryOptions),
    values: unknown,
    done: Done<QueryResult>
  ) {
    super(pool, deadline, done)
    this.#config = config
    this.#values = values
  }

  protected run(client: PoolClient): void {
    try {
      ;(client as unknown as { query: RunQuery }).query(this.#config, this.#values, (error, result) => {
        // The connection was cut at the deadline.
        if (this.isOver) return
        if (error) this.#failed(client, error)
        else {
          client.release()
          this.client = undefined
          this.succeed(result)
        }
      })
    } catch (error) {
      this.discard(error)
      this.fail(error)
    }
  }

  protected isOutcomeOpen(): boolean {
    return !this.#isRead
  }

  #failed(client: PoolClient, error: Error): void {
    const failure = statementFailure(error, client)
    if (failure === 'lost') {
      this.lose(error)
      this.#lost(error)
      return
    }
    // Like pg's own pool: the text may have opened a transaction that is now broken.
    this.discard(error)
    if (failure === 'unconnected') this.fail(error, 'neverConnected')
    else this.fail(error, failure === 'rolled back' && this.#isUndone ? 'rolledBack' : undefined)
  }

  /** Nobody knows whether it happened: what only reads is read once more, what may be done twice is done again. */
  #lost(error: Error): void {
    if (this.#isIdempotent) {
      this.mayHaveHappened = true
      this.fail(error, 'lostAfterSending')
    } else if (this.#isRead) {
      this.fail(error, this.#wasLost ? undefined : 'lostAfterSending')
      this.#wasLost = true
    } else {
      this.mayHaveHappened = true
      this.fail(error)
    }
  }

  get #isIdempotent(): boolean {
    return typeof this.#config !== 'string' && this.#config.idempotent === true
  }

  get #isRead(): boolean {
    return isRead(this.#text)
  }

  /** Whether a refusal leaves nothing of it behind, or what it leaves does no harm. */
  get #isUndone(): boolean {
    return this.#isIdempotent || isUndoneAsAWhole(this.#text)
  }

  get #text(): string {
    return typeof this.#config === 'string' ? this.#config : this.#config.text
  }
}

/** A connection for a caller that does the rest by itself. */
export class ConnectRequest extends DatabaseRequest<PoolClient> {
  protected run(client: PoolClient): void {
    this.succeed(client)
  }

  protected isOutcomeOpen(): boolean {
    return false
  }
}
