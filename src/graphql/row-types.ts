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
