import { ValueType, type Attributes } from '@opentelemetry/api'
import type { MetricDescriptor } from '@opentelemetry/sdk-metrics'
import type { Kind, SeriesTotals } from '../store/totals.js'

/**
 * What leaves as metrics: names, units and attributes. No other file names one.
 *
 * SQL follows the semantic conventions. For GraphQL these have only a draft, whose name for what we measure of an
 * operation this is; of resolvers and loaders it has no metric.
 * https://github.com/open-telemetry/semantic-conventions/pull/3515
 */
export const METRICS: readonly Metric[] = [
  metric('graphql.server.processing', 'executions of GraphQL operations', [
    source('operations', { 'graphql.processing.type': 'execute' }, ({ name, labels }) => ({
      'graphql.operation.type': labels.type,
      'graphql.operation.name': name
    }))
  ]),
  metric('graphql.server.resolver', 'calls of GraphQL resolvers', [source('resolvers', {}, field)]),
  metric('graphql.server.loader.batch', 'calls of the batch functions of loaders', [source('batches', {}, field)]),
  metric('db.client.operation', 'database client operations', [
    source('queries', { 'db.system.name': 'postgresql' }, ({ name, labels }) => ({
      'db.operation.name': labels.operation,
      ...(labels.table === null ? {} : { 'db.collection.name': labels.table }),
      'db.query.summary': name
    }))
  ]),
  {
    duration: duration('mercurius_performance.cache', 'cache lookups'),
    sources: [
      source('cacheHits', { 'cache.outcome': 'hit' }, cache),
      source('cacheMisses', { 'cache.outcome': 'miss' }, cache)
    ]
  }
]

/**
 * What instrumentation-pg would record of its own as soon as there is somebody to record for. It is counted already;
 * the instrumentation's metrics of connections are not.
 */
export const COUNTED_ALREADY = {
  meterName: '@opentelemetry/instrumentation-pg',
  instrumentName: 'db.client.operation.duration'
} as const

/** A histogram of seconds and a count of what failed, if it can; each has one point for each series of its sources. */
export interface Metric {
  readonly duration: MetricDescriptor
  readonly errors?: MetricDescriptor
  readonly sources: readonly Source[]
}

export interface Source {
  readonly kind: Kind
  readonly attributesOf: (totals: SeriesTotals) => Attributes
}

function metric(name: string, what: string, sources: readonly Source[]): Metric {
  const description = `How many ${what} failed.`
  const errors = { name: `${name}.errors`, description, unit: '{error}', valueType: ValueType.INT }
  return { duration: duration(name, what), errors, sources }
}

function duration(name: string, what: string): MetricDescriptor {
  return { name: `${name}.duration`, description: `Duration of ${what}.`, unit: 's', valueType: ValueType.DOUBLE }
}

/** `common` is what all series of it have; that of what came after the series limit has nothing else. */
function source<Of extends Kind>(
  kind: Of,
  common: Attributes,
  attributesOf: (totals: SeriesTotals<Of>) => Attributes
): Source {
  return {
    kind,
    attributesOf: totals => ({
      ...common,
      // https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute
      ...(totals.isOverflow ? { 'otel.metric.overflow': true } : attributesOf(totals as SeriesTotals<Of>))
    })
  }
}

/** As the spans of resolver calls have them; `name` is `Type.field`. */
function field({ name }: SeriesTotals): Attributes {
  const dot = name.indexOf('.')
  return { 'graphql.parent.name': name.slice(0, dot), 'graphql.field.name': name.slice(dot + 1) }
}

function cache({ name }: SeriesTotals): Attributes {
  return { 'cache.name': name }
}
