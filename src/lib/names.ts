/** The fields and types that the monitor adds to a schema. They never appear in its own numbers. */
export const METRICS_FIELD = '_performanceMetrics'
export const TIMING_FIELD = '_performance'

export const OWN_TYPES: ReadonlySet<string> = new Set([
  'PerformanceMetrics',
  'ResolverMetrics',
  'QueryMetrics',
  'StatementMetrics',
  'StatementCaller',
  'OperationMetrics',
  'BatchMetrics',
  'CountSpread',
  'CacheMetrics',
  'NamedCacheMetrics',
  'RecentCall',
  'PerformanceConfig',
  'SelfMetrics',
  'ExportMetrics',
  'SlowCall',
  'PerformanceHistoryPoint',
  'InstanceMetrics',
  'PerformanceHistoryMetrics',
  'FieldPerformance',
  'PoolMetrics',
  'NamedPoolMetrics',
  'PoolWaits'
])

/** Whether a resolver belongs to the monitor and not to the application. */
export function isOwnField(parentType: string, field: string): boolean {
  return field === METRICS_FIELD || field === TIMING_FIELD || OWN_TYPES.has(parentType)
}

const operationTypes: ReadonlySet<unknown> = new Set(['query', 'mutation', 'subscription'])

/** Whether there are operations of that type. A client may send a syntax tree, and in that whatever it likes. */
export function isOperationType(type: unknown): type is string {
  return operationTypes.has(type)
}
