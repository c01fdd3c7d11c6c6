const times = `
    "Whole number; may pass 2^31."
    count: Float!
    errorCount: Float!
    avgTime: Float!
    medianTime: Float!
    minTime: Float!
    maxTime: Float!
    totalTime: Float!
    p90Time: Float!
    p95Time: Float!
    p99Time: Float!
    "The time of the newest call."
    lastExecutionTime: Float!
    "When the newest call ended, ISO 8601."
    lastExecution: String`

const series = `${times}
    "The newest calls first; 1 to 32."
    recent(limit: Int = 10): [RecentCall!]!`

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

/** What `self` answers with. */
export const selfTypes = `
  "What became of the spans that ended: ended is the sum of the others, at any time."
  type ExportMetrics {
    ended: Float!
    exported: Float!
    "Given up, because too many were waiting or the process was about to end."
    dropped: Float!
    "Given up after an attempt to send them."
    failed: Float!
    notSampled: Float!
    "Not yet sent, or on their way."
    waiting: Float!
  }
  "Counts are those since the process started."
  type SelfMetrics {
    "Operations, resolver calls and OpenTelemetry spans that were measured."
    spansProcessed: Float!
    "Those that were not, for a fault or while measuring was off after too many: an operation is one then, with its calls."
    spansDropped: Float!
    "Measurements that are in a series (other), since there were too many names."
    overflowed: Float!
    faults: Float!
    "Whether measuring is off now, after 100 faults in a row."
    isTripped: Boolean!
    "Memory that the numbers take, within about 20%."
    storeBytes: Float!
    "What measuring a span takes, timed on one in 256; 0 until the first was."
    nanosecondsPerSpan: Float!
    "Share of one core that the monitor's own work took in the last ten seconds, garbage collection not counted."
    overhead: Float!
    "Share of one core that it may take; null for any."
    budget: Float
    detail: MeasuringDetail!
    "Share of the resolver calls that are timed; all are counted."
    sampleRate: Float!
    "When detail or sampleRate last changed, ISO 8601."
    detailSince: String!
    "Null where this package exports no spans, as with an SDK of the application's own."
    export: ExportMetrics
    "Null where history is off."
    history: PerformanceHistoryMetrics
  }
  enum MeasuringDetail {
    FULL
    "SQL is attributed to operations and not to resolvers."
    WITHOUT_CONTEXT
    "Besides, only a part of the resolver calls is timed."
    SAMPLED
  }`

/** What the lists of series answer with. */
export const rowTypes = `
  type ResolverMetrics {
    "Type.field; (other) is what came after the series limit."
    name: String!
    "SQL statements that its calls sent."
    sqlCount: Float!
    "Time in which its calls waited for SQL."
    sqlTime: Float!
    "Its time less that of its SQL and of resolver calls inside it."
    selfTime: Float!
    "The calls of its loader's batch function; null where it has no loader."
    batches: BatchMetrics${series}
  }
  type BatchMetrics {
    "How many objects a batch was for."
    size: CountSpread!${times}
  }
  type QueryMetrics {
    "Operation and table, such as SELECT issues."
    name: String!
    queryType: String!
    table: String${series}
  }
  "SQL statements that differ in nothing but their literals."
  type StatementMetrics {
    "Operation and table, such as SELECT issues."
    name: String!
    "16 hexadecimal digits."
    fingerprint: String!
    "Without literals and comments, at most 1,024 characters."
    text: String!
    queryType: String!
    table: String
    "Rows that it returned or changed; null where no span told. Calls that do not tell count as nothing."
    rows: Float
    "Who sent it, the largest total time first; 1 to 33. The counts of all add up to its count."
    callers(limit: Int = 10): [StatementCaller!]!${series}
  }
  type StatementCaller {
    "Type.field; null where no resolver sent it, (other) is what came after the first 32 callers."
    resolver: String
    "The operation's name; null where it is not known."
    operation: String
    count: Float!
    errorCount: Float!
    totalTime: Float!
    rows: Float
  }
  type OperationMetrics {
    "The operation's name, or a hash of the document of an anonymous one."
    name: String!
    operationType: String!
    "SQL statements per call, on average."
    queriesPerRequest: Float!
    "SQL statements per call."
    sqlPerRequest: CountSpread!${series}
  }
  "Whole numbers but for avg."
  type CountSpread {
    avg: Float!
    min: Float!
    median: Float!
    p90: Float!
    p95: Float!
    p99: Float!
    max: Float!
  }`

/** Single calls: the last ones of a row, and the slow ones. */
export const callTypes = `
  type RecentCall {
    executionTime: Float!
    "When it ended, ISO 8601."
    timestamp: String!
    "Arguments of a resolver, bind parameters of a query; null where unknown."
    argsCount: Int
    failed: Boolean!
    traceId: String
  }
  enum SlowKind {
    RESOLVER QUERY OPERATION
  }
  type SlowCall {
    kind: SlowKind!
    "As in its own list: Type.field, SELECT issues, the name of the operation."
    name: String!
    "SQL or GraphQL without its literals, at most 1,024 characters; null for a resolver."
    text: String
    executionTime: Float!
    "When it ended, ISO 8601."
    timestamp: String!
    failed: Boolean!
    traceId: String
    "Where the trace can be looked at; null where it was not exported, or no PERFORMANCE_TRACE_URL is set."
    traceUrl: String
  }`
