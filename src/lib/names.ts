import type { GraphQLSchema } from 'graphql'

/** The fields that the monitor adds to a schema. They and their types never appear in its own numbers. */
export const METRICS_FIELD = '_performanceMetrics'
export const TIMING_FIELD = '_performance'

const METRICS_TYPE = 'PerformanceMetrics'
/** The type of `TIMING_FIELD`; the plugin refuses an application that has one of that name. */
const TIMING_TYPE = 'FieldPerformance'

/** The types behind `METRICS_FIELD`. Where that is not added, an application may call its own like this. */
const METRICS_TYPES: ReadonlySet<string> = new Set([
  METRICS_TYPE,
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
  'PoolMetrics',
  'NamedPoolMetrics',
  'PoolWaits'
])

/** Whether a schema has `METRICS_FIELD`; where the plugin has added that, no type of the application is called as ours. */
export function hasMetrics(schema: GraphQLSchema): boolean {
  return String(schema.getQueryType()?.getFields()[METRICS_FIELD]?.type) === `${METRICS_TYPE}!`
}

/**
 * Whether a type is the monitor's and not the application's.
 *
 * @param withMetrics whether `METRICS_FIELD` is in its schema
 */
export function isOwnType(type: string, withMetrics: boolean): boolean {
  return type === TIMING_TYPE || (withMetrics && METRICS_TYPES.has(type))
}

/** The same of a field, and so of its resolver. */
export function isOwnField(parentType: string, field: string, withMetrics: boolean): boolean {
  return field === METRICS_FIELD || field === TIMING_FIELD || isOwnType(parentType, withMetrics)
}

const operationTypes: ReadonlySet<unknown> = new Set(['query', 'mutation', 'subscription'])

/** Whether there are operations of that type. A client may send a syntax tree, and in that whatever it likes. */
export function isOperationType(type: unknown): type is string {
  return operationTypes.has(type)
}
