import { createRequire } from 'node:module'
import type * as GraphQL from 'graphql'
import { PerformanceError } from '../errors.js'
import { hasMetrics, isOwnType, METRICS_FIELD, TIMING_FIELD } from '../lib/names.js'
import { extendKeepingAll, hasAll, type ExtensibleSchema } from './extend.js'
import { metricsResolvers, timingResolver, type FieldsOptions, type ResolverMap } from './resolvers.js'
import { metricsSdl, timingSdl, timingTypeSdl } from './sdl.js'

export interface SchemaHost extends ExtensibleSchema {
  defineResolvers(resolvers: ResolverMap): unknown
}

export interface Missing {
  /** Whether `_performanceMetrics` is to be there, and not only `_performance`. */
  readonly withMetrics: boolean
  /** Whether nothing was ever added: what is called like ours is the application's then, and not what is left of ours. */
  readonly isFirst: boolean
}

/**
 * Adds what a schema lacks of our fields, or of their resolvers where it was printed and built again. It is in the schema as
 * soon as it returns, before its promise is fulfilled.
 *
 * @throws PerformanceError MPERF_SCHEMA_CONFLICT, or what a hook of the application failed with
 */
export async function addMissingFields(
  host: SchemaHost,
  options: FieldsOptions,
  { withMetrics, isFirst }: Missing
): Promise<void> {
  const metrics = withMetrics ? addMetricsField(host, options, isFirst) : undefined
  await Promise.all([metrics, addTimingFields(host, options, isFirst)])
}

/**
 * Adds `_performanceMetrics` to the query type.
 *
 * @throws PerformanceError MPERF_SCHEMA_CONFLICT where the schema has no query type or already has one of our names
 */
export async function addMetricsField(host: SchemaHost, options: FieldsOptions, isFirst = true): Promise<void> {
  const queryType = host.schema.getQueryType()
  if (!queryType) throw new PerformanceError('MPERF_SCHEMA_CONFLICT', 'it has no query type')
  const { name } = queryType
  if (isFirst || !hasMetrics(host.schema)) {
    await extend(host, metricsSdl(name), metricsResolvers(name, options))
  } else if (!queryType.getFields()[METRICS_FIELD]?.resolve) {
    if (!hasAll(host.schema, parsed(metricsSdl(name)))) {
      throw new PerformanceError('MPERF_SCHEMA_CONFLICT', `the types behind its ${METRICS_FIELD} are not ours`)
    }
    host.defineResolvers(metricsResolvers(name, options))
  }
}

/** Adds `_performance` to every object type that lacks it. */
async function addTimingFields(host: SchemaHost, options: FieldsOptions, isFirst: boolean): Promise<void> {
  const { schema } = host
  const hasType = hasTimingType(schema)
  const lacking = objectTypes(schema).filter(type => !(TIMING_FIELD in type.getFields()))
  const unresolved = objectTypes(schema).filter(type => isTimingField(type) && !type.getFields()[TIMING_FIELD]?.resolve)
  if (!isFirst && unresolved.length > 0) host.defineResolvers(resolversOf(unresolved, options))
  if (lacking.length === 0 && !(isFirst && hasType)) return
  const sdl = timingSdl(lacking.map(({ name }) => name))
  await extend(host, isFirst || !hasType ? `${timingTypeSdl}\n${sdl}` : sdl, resolversOf(lacking, options))
}

function resolversOf(types: readonly GraphQL.GraphQLObjectType[], options: FieldsOptions): ResolverMap {
  const resolve = timingResolver(options)
  return Object.fromEntries(types.map(({ name }) => [name, { [TIMING_FIELD]: resolve }]))
}

async function extend(host: SchemaHost, sdl: string, resolvers: ResolverMap): Promise<void> {
  const document = parsed(sdl)
  let hooks: unknown
  try {
    hooks = extendKeepingAll(host, document)
    // A hook may have put another schema in the place of the extended one already.
    if (hasAll(host.schema, document)) host.defineResolvers(resolvers)
  } catch (error) {
    throw new PerformanceError('MPERF_SCHEMA_CONFLICT', error instanceof Error ? error.message : String(error))
  }
  await hooks
}

/**
 * Parsed here and not by Mercurius, which would do it with the limits that the application sets for its clients' documents.
 * Loaded when needed: whoever imports this package may not have started the instrumentation of graphql yet.
 */
function parsed(sdl: string): GraphQL.DocumentNode {
  const { parse } = createRequire(import.meta.url)('graphql') as typeof GraphQL
  return parse(sdl, { noLocation: true })
}

/** Whether our own timing type is there already; a type of the application by that name is a conflict. */
function hasTimingType(schema: GraphQL.GraphQLSchema): boolean {
  return Object.values(schema.getTypeMap()).some(type => 'isTypeOf' in type && isTimingField(type))
}

function isTimingField(type: GraphQL.GraphQLObjectType): boolean {
  return String(type.getFields()[TIMING_FIELD]?.type) === 'FieldPerformance'
}

/** Those of the application, without that of its subscriptions. */
function objectTypes(schema: GraphQL.GraphQLSchema): GraphQL.GraphQLObjectType[] {
  const subscription = schema.getSubscriptionType()
  const withMetrics = hasMetrics(schema)
  return Object.values(schema.getTypeMap())
    .filter(type => 'isTypeOf' in type)
    .filter(type => !type.name.startsWith('__') && !isOwnType(type.name, withMetrics) && type !== subscription)
}
