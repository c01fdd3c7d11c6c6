/** Why an attempt was followed by another. */
export type RetryCause = 'neverConnected' | 'rolledBack' | 'lostBeforeCommit' | 'lostAfterSending'

const none = {
  /** Calls of `query`, `transaction` and `connect`. */
  requests: 0,
  /** What they tried: `requests` and all retries. */
  attempts: 0,
  /** There was no connection, or the statement never left. */
  neverConnected: 0,
  /** Serialization failures and deadlocks. */
  rolledBack: 0,
  /** The connection broke inside a transaction that was not yet to be committed. */
  lostBeforeCommit: 0,
  /** The connection broke while a statement of its own, or a COMMIT, was on its way. */
  lostAfterSending: 0,
  /** Retries that would have been made, had the budget allowed them. */
  retriesRefused: 0,
  deadlinesExceeded: 0,
  outcomesUnknown: 0,
  connectionsLost: 0
} satisfies Record<RetryCause, number> & Record<string, number>

/** What a pool has done since it was made. */
export type PoolCounts = typeof none

export function newCounts(): PoolCounts {
  return { ...none }
}

export function addCounts(into: PoolCounts, from: PoolCounts): void {
  for (const name of Object.keys(none) as (keyof PoolCounts)[]) into[name] += from[name]
}

export function retriesIn({ neverConnected, rolledBack, lostBeforeCommit, lostAfterSending }: PoolCounts): number {
  return neverConnected + rolledBack + lostBeforeCommit + lostAfterSending
}
