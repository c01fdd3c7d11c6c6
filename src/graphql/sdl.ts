import { METRICS_FIELD, TIMING_FIELD } from '../lib/names.js'
import { historyTypes } from './history-types.js'
import { poolTypes } from './pool-types.js'
import { callTypes, rowTypes } from './row-types.js'
import { selfTypes } from './self-types.js'

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
    "The connections of createPool to Postgres; of this process, whatever the scope and the range."
    pool: PoolMetrics!
    "What took longer than its threshold, the newest first; 1 to 100. Of this process, whatever the scope and the range."
    slow(limit: Int = 20): [SlowCall!]!
    "How one name did in each step of the range; what is older than minutes are kept comes in whole hours or days."
    history(kind: PerformanceHistoryKind!, name: String!, fingerprint: String): [PerformanceHistoryPoint!]!
    "Who reports, the one that began last first."
    instances: [InstanceMetrics!]!
    config: PerformanceConfig!
    "What the monitor itself does and costs; of this process."
    self: SelfMetrics!
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
${callTypes}
  type PerformanceConfig {
    enabled: Boolean!
    includeInResponse: Boolean!
    logAllMetrics: Boolean!
    retentionPeriod: Float!
    slowQueryThreshold: Float!
    slowResolverThreshold: Float!
    slowOperationThreshold: Float!
    maxResolverSpans: Int!
    slowTracesPerMinute: Int!
    "Empty: none."
    traceUrl: String!
    "Share of one core; 0: no budget."
    overheadBudget: Float!
  }${selfTypes}${poolTypes}${historyTypes}
  extend type ${queryType} {
    "For administrators."
    ${METRICS_FIELD}(
      "FLEET: all instances of the service together, from history."
      scope: MetricsScope = INSTANCE
      "ISO 8601, or a time before now such as -24h; with history. Default: the retention period before to."
      from: String
      "The same, or now, which is the default."
      to: String
      "Of history(): a length of time such as 60, 5m or 1h. Default: a sixtieth of the range."
      step: String
    ): PerformanceMetrics!
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
