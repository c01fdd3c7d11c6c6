import { METRICS_FIELD, TIMING_FIELD } from '../lib/names.js'

const series = `
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
    lastExecution: String
    "The newest calls first; 1 to 32."
    recent(limit: Int = 10): [RecentCall!]!`

const order = 'orderBy: MetricOrder = TOTAL_TIME, limit: Int = 100'
const selection = `name: String, ${order}`

const cacheTimes = `
    hits: Float!
    misses: Float!
    "hits / (hits + misses); 0 where there were none."
    hitRatio: Float!
    avgHitTime: Float!
    avgMissTime: Float!
    medianHitTime: Float!
    medianMissTime: Float!
    maxHitTime: Float!
    maxMissTime: Float!
    p95HitTime: Float!
    p95MissTime: Float!
    totalHitTime: Float!
    totalMissTime: Float!`

const rowTypes = `
  type ResolverMetrics {
    "Type.field; (other) is what came after the series limit."
    name: String!
    "SQL statements that its calls sent."
    sqlCount: Float!
    "Time in which its calls waited for SQL."
    sqlTime: Float!
    "Time that its calls took themselves."
    selfTime: Float!${series}
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
    sqlPerRequest: SqlPerRequest!${series}
  }
  "Whole numbers but for avg."
  type SqlPerRequest {
    avg: Float!
    min: Float!
    median: Float!
    p90: Float!
    p95: Float!
    p99: Float!
    max: Float!
  }`

/** The types behind `_performanceMetrics`, and the field itself on the schema's query type. */
export function metricsSdl(queryType: string): string {
  return `
  "What resolvers, SQL and caches cost. All times are seconds; quantiles are within 1%."
  type PerformanceMetrics {
    resolvers(${selection}): [ResolverMetrics!]!
    queries(${selection}): [QueryMetrics!]!
    statements(name: String, fingerprint: String, ${order}): [StatementMetrics!]!
    operations(${selection}): [OperationMetrics!]!
    cache: CacheMetrics!
    config: PerformanceConfig!
  }
  "Descending; NAME ascending."
  enum MetricOrder {
    TOTAL_TIME COUNT ERROR_COUNT AVG_TIME MEDIAN_TIME MIN_TIME MAX_TIME P90_TIME P95_TIME P99_TIME LAST_EXECUTION NAME
  }
${rowTypes}
  type CacheMetrics {${cacheTimes}
    byName(name: String, limit: Int = 100): [NamedCacheMetrics!]!
  }
  type NamedCacheMetrics {
    name: String!${cacheTimes}
  }
  type RecentCall {
    executionTime: Float!
    "When it ended, ISO 8601."
    timestamp: String!
    "Arguments of a resolver, bind parameters of a query; null where unknown."
    argsCount: Int
    failed: Boolean!
    traceId: String
  }
  type PerformanceConfig {
    enabled: Boolean!
    includeInResponse: Boolean!
    logAllMetrics: Boolean!
    retentionPeriod: Float!
    slowQueryThreshold: Float!
    slowResolverThreshold: Float!
  }
  extend type ${queryType} {
    "For administrators."
    ${METRICS_FIELD}: PerformanceMetrics!
  }`
}

export const timingTypeSdl = `
  "The resolver call that returned this object."
  type FieldPerformance {
    "Seconds."
    executionTime: Float!
    "Type.field."
    resolverName: String!
  }`

/** The `_performance` field on each of `types`. */
export function timingSdl(types: readonly string[]): string {
  return types.map(type => `extend type ${type} { ${TIMING_FIELD}: FieldPerformance }`).join('\n')
}
