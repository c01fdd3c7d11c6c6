import type { ClientBase, PoolClient } from 'pg'
import { PerformanceError } from '../errors.js'
import { isSubmittable } from './submittable.js'
import { codeOf, isRefusal, statementFailure } from './failure.js'
import { DatabaseRequest, type Done, type RequestPool } from './request.js'

export interface TransactionOptions {
  /**
   * Whether the callback may run again on a new connection where the first broke before the COMMIT: true where all that
   * it does it does through its client. After a deadlock or a serialization failure it runs again anyway, on the same
   * connection, unless this is false.
   */
  readonly repeatable?: boolean
  /** Whether doing all of it twice is doing it once, so that it may run again where the answer to COMMIT was lost. */
  readonly idempotent?: boolean
  /** Seconds for all of it, waiting for a connection and retries included; default: the pool's. */
  readonly deadline?: number
}

/** What a transaction's callback works with; it is of no use once the transaction has ended. */
export type TransactionClient = Pick<ClientBase, 'query'>

export type TransactionWork<Result> = (client: TransactionClient) => Promise<Result>

/** How far a transaction has come. */
type Stage = 'begin' | 'work' | 'commit'

/** All of a transaction, from BEGIN to COMMIT. It is never continued on another connection, only done anew as a whole. */
export class TransactionRequest<Result> extends DatabaseRequest<Result> {
  readonly #work: TransactionWork<Result>
  readonly #options: TransactionOptions
  #stage: Stage = 'begin'

  constructor(
    pool: RequestPool,
    deadline: number,
    work: TransactionWork<Result>,
    options: TransactionOptions,
    done: Done<Result>
  ) {
    super(pool, deadline, done)
    this.#work = work
    this.#options = options
  }

  protected run(client: PoolClient): void {
    this.inContext(() => {
      this.#run(client)
    })
  }

  #run(client: PoolClient): void {
    this.#attempt(client).then(
      result => {
        if (this.isOver) return
        client.release()
        this.client = undefined
        this.succeed(result)
      },
      (error: unknown) => {
        // Nothing thrown is an error too.
        if (!this.isOver) void this.#failed(client, error ?? new Error('the transaction failed without an error'))
      }
    )
  }

  protected isOutcomeOpen(): boolean {
    return this.#stage === 'commit'
  }

  async #attempt(client: PoolClient): Promise<Result> {
    this.#stage = 'begin'
    await client.query('BEGIN')
    this.#stage = 'work'
    const lend = new Lend(client, () => this.isOver)
    let result: Result
    try {
      result = await this.#work(lend.client)
    } finally {
      lend.end()
    }
    // Its connection was cut at the deadline.
    if (this.isOver) return result
    this.#stage = 'commit'
    const { command } = await client.query('COMMIT')
    // Postgres answers the COMMIT of a failed transaction without an error, by rolling it back.
    if (command !== 'COMMIT') throw new PerformanceError('MPERF_TRANSACTION_ROLLED_BACK')
    return result
  }

  async #failed(client: PoolClient, error: unknown): Promise<void> {
    const { repeatable, idempotent } = this.#options
    const failure = statementFailure(error, client)
    if (this.#stage === 'commit' && isInDoubt(error)) {
      this.#loseAnswer(error)
      return
    }
    this.failing = error
    // It also tells a broken connection from an error of the callback's own that looks like one.
    const lives = await client.query('ROLLBACK').then(
      () => true,
      () => false
    )
    if (this.isOver) return
    if (!lives && this.#stage === 'commit' && isRefusal(error)) {
      // It may have been none: errors that end the connection have names for that in languages that nobody foresaw.
      this.#loseAnswer(error)
    } else if (!lives) {
      this.lose(error)
      // What Postgres rolled back because of others cannot be done again on this connection, but on a new one.
      const mayPass = failure !== 'final'
      const mayRepeat = this.#stage === 'begin' || repeatable === true || idempotent === true
      this.fail(error, mayPass && mayRepeat ? 'lostBeforeCommit' : undefined)
    } else if (failure === 'rolled back' && repeatable !== false) {
      // The connection is kept for the next attempt, if there is one.
      this.fail(error, 'rolledBack')
      if (this.hasEnded) this.#giveBack(client)
    } else {
      this.#giveBack(client)
      this.fail(error)
    }
  }

  /** That to COMMIT, and the connection with it. */
  #loseAnswer(error: unknown): void {
    this.mayHaveHappened = true
    this.lose(error)
    this.fail(error, this.#options.idempotent === true ? 'lostAfterSending' : undefined)
  }

  /** Read after a call that may have ended it. */
  private get hasEnded(): boolean {
    return this.isOver
  }

  #giveBack(client: PoolClient): void {
    client.release()
    this.client = undefined
  }
}

/** Whether an error that came for COMMIT leaves open what became of it. */
function isInDoubt(error: unknown): boolean {
  if (error instanceof PerformanceError || isRefusal(error)) return false
  // It was not sent where the driver says so; without a code of Postgres anything may have happened.
  return statementFailure(error) !== 'unconnected' || codeOf(error) !== undefined
}

/** Lends a connection for the time of a transaction. */
class Lend {
  readonly client: TransactionClient
  #hasEnded = false

  /** `isOver` tells whether its time is over before the callback has come to its end. */
  constructor(client: PoolClient, isOver: () => boolean) {
    const query = (...given: unknown[]): unknown => {
      if (!this.#hasEnded && !isOver()) return (client.query as (...given: unknown[]) => unknown).apply(client, given)
      const error = new PerformanceError('MPERF_TRANSACTION_OVER')
      const [submitted] = given
      if (isSubmittable(submitted)) {
        // As pg refuses a cursor or stream: it tells whoever reads it. Without the connection, which others may use now.
        process.nextTick(() => {
          submitted.handleError(error)
        })
        return submitted
      }
      const callback = given.at(-1)
      if (typeof callback !== 'function') return Promise.reject(error)
      process.nextTick(callback, error)
      return undefined
    }
    this.client = { query: query as ClientBase['query'] }
  }

  end(): void {
    this.#hasEnded = true
  }
}
