import { AsyncResource } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import { context, trace, type Span } from '@opentelemetry/api'
import type { PoolClient } from 'pg'
import { PerformanceError } from '../errors.js'
import { backoffDelay, type BackoffLimits } from './backoff.js'
import type { PoolCounts, RetryCause } from './counts.js'
import { cut } from './cut.js'
import { codeOf, connectFailure, knownCodeOf } from './failure.js'
import { endRetrySpan, startRetrySpan } from './retry-span.js'

const ATTEMPTS = 3
/** Milliseconds. Somebody waits, so it is short. */
const PAUSES: BackoffLimits = { first: 50, most: 1_000 }

/** The pool as its requests see it. */
export interface RequestPool {
  readonly counts: PoolCounts
  /** Callers that wait for a connection. */
  waiting: number
  /** It gives out no new connection any more. */
  readonly isEnding: boolean
  acquire(callback: (error: unknown, client: PoolClient | undefined) => void): void
  /** Takes what a retry costs from the budget; false where there is not enough. */
  mayRetry(): boolean
  requested(): void
  /** Milliseconds. */
  waited(milliseconds: number): void
  lost(client: PoolClient): void
  /** Such as `10 of 10 connections in use, 3 callers waiting`. */
  describe(): string
}

/** Called once, with an error or a result. */
export type Done<Result> = (error: Error | undefined, result: Result | undefined) => void

/**
 * What a caller asks of the database: its attempts, until one succeeds, none is allowed any more, or its deadline
 * passes. Callbacks and no promises: the first attempt, which mostly is the only one, costs what pg's own pool does.
 */
export abstract class DatabaseRequest<Result> {
  protected readonly pool: RequestPool
  /** The connection that it holds. */
  protected client: PoolClient | undefined = undefined
  protected isOver = false
  /** Whether an attempt may have changed something, for all one knows. */
  protected mayHaveHappened = false
  /** What it fails with as soon as Postgres has undone what it did. */
  protected failing: unknown = undefined
  /**
   * The context that it was asked in. pg's pool calls back in that of whoever released the connection, or of a socket.
   */
  readonly #caller = new AsyncResource('DatabaseRequest')
  readonly #deadline: number
  readonly #done: Done<Result>
  readonly #timer: NodeJS.Timeout
  readonly #until: number
  #askedAt = 0
  #attempts = 0
  #pause: NodeJS.Timeout | undefined
  #failure: unknown
  #span: Span | undefined

  /** `deadline` is in milliseconds. */
  constructor(pool: RequestPool, deadline: number, done: Done<Result>) {
    this.pool = pool
    this.#deadline = deadline
    this.#done = done
    this.#until = performance.now() + deadline
    // While a connection answers or is being made, its socket holds the process.
    this.#timer = setTimeout(expire, deadline, this).unref()
    pool.requested()
  }

  start(): void {
    this.#attempts += 1
    this.pool.counts.attempts += 1
    if (this.client !== undefined) {
      this.run(this.client)
      return
    }
    this.#askedAt = performance.now()
    this.pool.waiting += 1
    this.pool.acquire((error, client) => {
      this.#acquired(error, client)
    })
  }

  /** Runs `work` in the context of the caller, and inside of the span of the retry if it is one. */
  protected inContext(work: () => void): void {
    const span = this.#span
    this.#caller.runInAsyncScope(() => {
      if (span === undefined) work()
      else context.with(trace.setSpan(context.active(), span), work)
    })
  }

  /** Does the work on a connection, and calls `succeed` or `fail` when it is done. */
  protected abstract run(client: PoolClient): void

  /** Whether what is on its way to Postgres may happen although nobody will learn of it. */
  protected abstract isOutcomeOpen(): boolean

  protected succeed(result: Result): void {
    if (!this.isOver) this.#settle(undefined, result)
  }

  /** Ends the attempt: with another one where there is a cause for it and all limits allow it, else with `error`. */
  protected fail(error: unknown, cause?: RetryCause): void {
    if (this.isOver) return
    this.#failure = error
    this.failing = undefined
    this.#endSpan(error)
    const pause = cause === undefined ? undefined : this.#pauseBeforeRetry()
    if (cause === undefined || pause === undefined) {
      this.#giveUp(error)
      return
    }
    // It holds the process, unlike the deadline: somebody waits, and there may be no socket that does.
    this.#pause = setTimeout(() => {
      this.#retry(error, cause)
    }, pause)
  }

  #retry(error: unknown, cause: RetryCause): void {
    this.#pause = undefined
    if (this.client === undefined && this.pool.isEnding) {
      this.#giveUp(error)
      return
    }
    this.pool.counts[cause] += 1
    this.#caller.runInAsyncScope(() => {
      this.#span = startRetrySpan({ attempt: this.#attempts + 1, cause, code: knownCodeOf(error) })
    })
    this.inContext(() => {
      this.start()
    })
  }

  /** Parts with the connection, which is of no more use. */
  protected discard(error: unknown): void {
    this.client?.release(error instanceof Error ? error : true)
    this.client = undefined
  }

  protected lose(error: unknown): void {
    if (this.client !== undefined) this.pool.lost(this.client)
    this.discard(error)
  }

  #acquired(error: unknown, client: PoolClient | undefined): void {
    if (this.isOver) {
      // Not at once: a long row of callers that have gone would hand it on in ever deeper calls.
      if (client !== undefined)
        process.nextTick(() => {
          client.release()
        })
      return
    }
    this.#stopWaiting()
    if (client === undefined) {
      this.fail(error, connectFailure(error) === 'unconnected' ? 'neverConnected' : undefined)
      return
    }
    this.client = client
    // The driver needs no context where nobody looks: a promise brings its caller's back.
    if (this.#span === undefined) this.run(client)
    else
      this.inContext(() => {
        this.run(client)
      })
  }

  #stopWaiting(): void {
    this.pool.waiting -= 1
    this.pool.waited(performance.now() - this.#askedAt)
    this.#askedAt = 0
  }

  #pauseBeforeRetry(): number | undefined {
    if (this.#attempts >= ATTEMPTS) return undefined
    const pause = backoffDelay(this.#attempts - 1, PAUSES)
    if (performance.now() + pause >= this.#until) return undefined
    return this.pool.mayRetry() ? pause : undefined
  }

  #giveUp(error: unknown): void {
    if (this.mayHaveHappened) {
      const code = codeOf(error)
      this.#settleUnknown(
        `the last attempt failed${code === undefined ? '' : ` (${code})`} and the answer was lost`,
        error
      )
    } else this.#settle(error as Error, undefined)
  }

  /** To be called once the deadline has passed. */
  expired(): void {
    if (this.isOver) return
    const { client } = this
    this.pool.counts.deadlinesExceeded += 1
    const passed = `the deadline of ${this.#deadline / 1_000} s passed`
    const isRunning = client !== undefined && this.#pause === undefined
    const isOpen = isRunning && this.failing === undefined && this.isOutcomeOpen()
    const isWaiting = this.#askedAt !== 0
    if (isWaiting) this.#stopWaiting()
    const doing = isWaiting
      ? `waiting for a connection (${this.pool.describe()})`
      : this.#pause === undefined
        ? 'Postgres had not answered'
        : 'it waited to try again'
    // Before the caller is told, who may throw. What the driver says of it then comes too late.
    this.isOver = true
    this.client = undefined
    if (client !== undefined) cut(client)
    const seen = `${passed} while ${doing}`
    if (isOpen) this.#settleUnknown(`${passed} after it was sent to Postgres`, this.#failure)
    else if (this.failing !== undefined) this.#giveUp(this.failing)
    else if (this.mayHaveHappened) this.#settleUnknown(`${seen}, and an answer had been lost before`, this.#failure)
    else {
      this.#settle(new PerformanceError('MPERF_DATABASE_DEADLINE', seen, { cause: this.#failure }), undefined)
    }
  }

  #settleUnknown(seen: string, cause: unknown): void {
    this.pool.counts.outcomesUnknown += 1
    this.#settle(new PerformanceError('MPERF_OUTCOME_UNKNOWN', seen, { cause }), undefined)
  }

  #settle(error: Error | undefined, result: Result | undefined): void {
    this.isOver = true
    clearTimeout(this.#timer)
    clearTimeout(this.#pause)
    this.#endSpan(error)
    this.#done(error, result)
  }

  #endSpan(error: unknown): void {
    if (this.#span !== undefined) endRetrySpan(this.#span, error)
    this.#span = undefined
  }
}

function expire(request: { expired(): void }): void {
  request.expired()
}
