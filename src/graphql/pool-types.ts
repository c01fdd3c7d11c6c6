const poolFields = `
    "Connections that it may hold."
    max: Float!
    "Connections that it holds, those being made included."
    size: Float!
    idle: Float!
    "Callers that wait for a connection now."
    waiting: Float!
    "Share of max that is in use."
    saturation: Float!
    "How long callers waited for a connection, within the retention; those that gave up included."
    waits: PoolWaits!
    "Queries, transactions and connections that were asked for since the start, as all counts below."
    requests: Float!
    "requests and retries."
    attempts: Float!
    "The sum of the four that follow."
    retries: Float!
    "No connection came about, or the statement never left."
    neverConnected: Float!
    "A serialization failure or a deadlock."
    rolledBack: Float!
    "The connection broke before COMMIT."
    lostBeforeCommit: Float!
    "The connection broke while COMMIT or a statement of its own was on its way."
    lostAfterSending: Float!
    "Retries that the budget, a tenth of the requests and ten at once, did not allow."
    retriesRefused: Float!
    deadlinesExceeded: Float!
    "Errors that said that a write may have happened."
    outcomesUnknown: Float!
    connectionsLost: Float!`

/** What `pool` answers with. */
export const poolTypes = `
  "All pools of createPool."
  type PoolMetrics {${poolFields}
    "Those that have not ended; pools of one name are one."
    byName: [NamedPoolMetrics!]!
  }
  type NamedPoolMetrics {
    name: String!${poolFields}
  }
  type PoolWaits {
    count: Float!
    avgTime: Float!
    medianTime: Float!
    p95Time: Float!
    p99Time: Float!
    maxTime: Float!
  }`
