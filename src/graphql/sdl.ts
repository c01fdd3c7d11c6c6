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

const selection = 'name: String, orderBy: MetricOrder = TOTAL_TIME, limit: Int = 100'

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

const selfTypes = `
  "Counts are those since the process started."
  type SelfMetrics {
    "Operations, resolver calls and OpenTelemetry spans that were measured."
    spansProcessed: Float!
    "Those that were not, for a fault or while measuring was off after too many."
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
  }
  enum MeasuringDetail {
    FULL
    "SQL is attributed to operations and not to resolvers."
    WITHOUT_CONTEXT
    "Besides, only a part of the resolver calls is timed."
    SAMPLED
  }`

/** The types behind `_performanceMetrics`, and the field itself on the schema's query type. */
export function metricsSdl(queryType: string): string {
  return `
  "What resolvers, SQL and caches cost. All times are seconds; quantiles are within 1%."
  type PerformanceMetrics {
    resolvers(${selection}): [ResolverMetrics!]!
    queries(${selection}): [QueryMetrics!]!
    operations(${selection}): [OperationMetrics!]!
    cache: CacheMetrics!
    config: PerformanceConfig!
    "What the monitor itself does and costs."
    self: SelfMetrics!
  }
  "Descending; NAME ascending."
  enum MetricOrder {
    TOTAL_TIME COUNT ERROR_COUNT AVG_TIME MEDIAN_TIME MIN_TIME MAX_TIME P90_TIME P95_TIME P99_TIME LAST_EXECUTION NAME
  }
  type ResolverMetrics {
    "Type.field; (other) is what came after the series limit."
    name: String!
    "SQL statements that its calls sent."
    sqlCount: Float!
    "Time in which its calls waited for SQL."
    sqlTime: Float!
    "Its time less that of its SQL."
    selfTime: Float!${series}
  }
  type QueryMetrics {
    "Operation and table, such as SELECT issues."
    name: String!
    queryType: String!
    table: String${series}
  }
  type OperationMetrics {
    "The operation's name, or a hash of the document of an anonymous one."
    name: String!
    operationType: String!
    "SQL statements per call, on average."
    queriesPerRequest: Float!${series}
  }
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
    maxResolverSpans: Int!
    "Share of one core; 0: no budget."
    overheadBudget: Float!
  }${selfTypes}
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
