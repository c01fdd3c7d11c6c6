/** What is asked of history, and what it answers with. */
export const historyTypes = `
  enum MetricsScope {
    INSTANCE FLEET
  }
  enum PerformanceHistoryKind {
    RESOLVER BATCH QUERY STATEMENT OPERATION CACHE_HIT CACHE_MISS
    "How long callers waited for a connection of a pool."
    POOL_WAIT
  }
  "Times are null where nothing was measured."
  type PerformanceHistoryPoint {
    "When the step begins, ISO 8601."
    timestamp: String!
    count: Float!
    errorCount: Float!
    avgTime: Float
    medianTime: Float
    minTime: Float
    maxTime: Float
    p90Time: Float
    p95Time: Float
    p99Time: Float
  }
  type InstanceMetrics {
    name: String!
    "Of the service."
    version: String
    "When its process began to report, ISO 8601."
    since: String!
    lastSeen: String!
    "Whether it has reported lately (thirty seconds; 150 where Prometheus tells) and has not ended."
    isReporting: Boolean!
  }
  enum PerformanceHistoryState {
    STARTING
    WRITING
    "What was measured waits, and is tried again."
    FAILING
    "For good, since the tables are of a later version."
    STOPPED
    "History is read and not written."
    READING
  }
  type PerformanceHistoryMetrics {
    state: PerformanceHistoryState!
    "What is wrong and what to do; null while nothing is."
    problem: String
    "ISO 8601."
    lastWritten: String
    waitingMinutes: Float!
    "Given up, since too many waited."
    droppedMinutes: Float!
  }`
