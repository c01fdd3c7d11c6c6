import type { TimeSummary } from './snapshot.js'

/** One pool of connections, or all of them together. Counts are those since the start of the process. */
export interface PoolSnapshot {
  /** Connections that it may hold. */
  readonly max: number
  /** Connections that it holds, those being made included. */
  readonly size: number
  readonly idle: number
  /** Callers that wait for a connection now. */
  readonly waiting: number
  /** Share of `max` that is in use, 0 to 1. */
  readonly saturation: number
  /** How long callers waited for a connection, within the retention; those that gave up included. */
  readonly waits: TimeSummary
  /** Queries, transactions and connections that were asked for. */
  readonly requests: number
  /** What they tried: `requests` and `retries`. */
  readonly attempts: number
  readonly retries: number
  /** Retries, by why: no connection came about, or the statement never left. */
  readonly neverConnected: number
  /** A serialization failure or a deadlock. */
  readonly rolledBack: number
  /** The connection broke before COMMIT. */
  readonly lostBeforeCommit: number
  /** The connection broke while COMMIT or a statement of its own was on its way. */
  readonly lostAfterSending: number
  /** Retries that the budget, a tenth of the requests and ten at once, did not allow. */
  readonly retriesRefused: number
  readonly deadlinesExceeded: number
  /** Errors that said that a write may have happened. */
  readonly outcomesUnknown: number
  readonly connectionsLost: number
}

export interface NamedPoolSnapshot extends PoolSnapshot {
  readonly name: string
}
