import { ValueType, type Attributes } from '@opentelemetry/api'
import type { MetricDescriptor } from '@opentelemetry/sdk-metrics'
import { OVERFLOW } from '../store/dimension.js'
import type { SeriesIdentity } from '../store/identity.js'
import type { Kind, KindLabels, SeriesTotals } from '../store/totals.js'

/** https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute */
const OVERFLOWING = 'otel.metric.overflow'

/** As the spans of resolver calls have them; the name of a series is `Type.field`. */
const fields: Spelling<'resolvers' | 'batches'> = {
  attributes: ['graphql.parent.name', 'graphql.field.name'],
  named: name => {
    const dot = name.indexOf('.')
    return { 'graphql.parent.name': name.slice(0, dot), 'graphql.field.name': name.slice(dot + 1) }
  },
  labelled: () => ({}),
  nameOf: read => `${read('graphql.parent.name')}.${read('graphql.field.name')}`,
  labelsOf: () => null,
  overflow: null
}

const caches: Spelling<'cacheHits' | 'cacheMisses'> = {
  attributes: ['cache.name'],
  named: name => ({ 'cache.name': name }),
  labelled: () => ({}),
  nameOf: read => read('cache.name'),
  labelsOf: () => null,
  overflow: null
}

/**
 * What leaves as metrics: names, units and attributes. No other file names one.
 *
 * SQL follows the semantic conventions. For GraphQL these have only a draft, whose name for what we measure of an
 * operation this is; of resolvers and loaders it has no metric.
 * https://github.com/open-telemetry/semantic-conventions/pull/3515
 */
export const METRICS: readonly Metric[] = [
  metric('graphql.server.processing', 'executions of GraphQL operations', [
    source(
      'operations',
      { 'graphql.processing.type': 'execute' },
      {
        attributes: ['graphql.operation.type', 'graphql.operation.name'],
        named: name => ({ 'graphql.operation.name': name }),
        labelled: ({ type }) => ({ 'graphql.operation.type': type }),
        nameOf: read => read('graphql.operation.name'),
        labelsOf: read => ({ type: read('graphql.operation.type') }),
        overflow: { type: OVERFLOW }
      }
    )
  ]),
  metric('graphql.server.resolver', 'calls of GraphQL resolvers', [source('resolvers', {}, fields)]),
  metric('graphql.server.loader.batch', 'calls of the batch functions of loaders', [source('batches', {}, fields)]),
  metric('db.client.operation', 'database client operations', [
    source(
      'queries',
      { 'db.system.name': 'postgresql' },
      {
        attributes: ['db.operation.name', 'db.collection.name', 'db.query.summary'],
        named: name => ({ 'db.query.summary': name }),
        labelled: ({ operation, table }) => ({
          'db.operation.name': operation,
          ...(table === null ? {} : { 'db.collection.name': table })
        }),
        nameOf: read => read('db.query.summary'),
        labelsOf: read => ({ operation: read('db.operation.name'), table: read('db.collection.name') || null }),
        overflow: { operation: OVERFLOW, table: null }
      }
    )
  ]),
  {
    duration: duration('mercurius_performance.cache', 'cache lookups'),
    sources: [
      source('cacheHits', { 'cache.outcome': 'hit' }, caches),
      source('cacheMisses', { 'cache.outcome': 'miss' }, caches)
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
  /** What all series of it have; that of what came after the series limit has nothing else. */
  readonly common: Attributes
  /** The names of those that tell its series apart. */
  readonly attributes: readonly string[]
  readonly attributesOf: (totals: Pick<SeriesTotals, 'name' | 'labels' | 'isOverflow'>) => Attributes
  /** Those that follow from the name of a series alone. */
  readonly attributesNamed: (name: string) => Attributes
  /** The series that has these attributes. */
  readonly identityOf: (read: ReadAttribute) => SeriesIdentity
}

/** The value of an attribute as text; empty where there is none. */
export type ReadAttribute = (name: string) => string

/** How the name and the labels of a kind's series become attributes, and attributes those. */
interface Spelling<Of extends Kind> {
  readonly attributes: readonly string[]
  readonly named: (name: string) => Attributes
  readonly labelled: (labels: KindLabels[Of]) => Attributes
  readonly nameOf: (read: ReadAttribute) => string
  readonly labelsOf: (read: ReadAttribute) => KindLabels[Of]
  /** The labels of what came after the series limit. */
  readonly overflow: KindLabels[Of]
}

function metric(name: string, what: string, sources: readonly Source[]): Metric {
  const description = `How many ${what} failed.`
  const errors = { name: `${name}.errors`, description, unit: '{error}', valueType: ValueType.INT }
  return { duration: duration(name, what), errors, sources }
}

function duration(name: string, what: string): MetricDescriptor {
  return { name: `${name}.duration`, description: `Duration of ${what}.`, unit: 's', valueType: ValueType.DOUBLE }
}

function source<Of extends Kind>(kind: Of, common: Attributes, spelling: Spelling<Of>): Source {
  const { attributes, named, labelled, nameOf, labelsOf, overflow } = spelling
  return {
    kind,
    common,
    attributes: [...attributes, OVERFLOWING],
    attributesOf: ({ name, labels, isOverflow }) => ({
      ...common,
      ...(isOverflow ? { [OVERFLOWING]: true } : { ...labelled(labels as KindLabels[Of]), ...named(name) })
    }),
    attributesNamed: named,
    identityOf: read =>
      read(OVERFLOWING) === 'true'
        ? { kind, name: OVERFLOW, labels: overflow, isOverflow: true }
        : { kind, name: nameOf(read), labels: labelsOf(read), isOverflow: false }
  }
}
