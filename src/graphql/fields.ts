import { createRequire } from 'node:module'
import type * as GraphQL from 'graphql'
import { PerformanceError } from '../errors.js'
import { hasMetrics, isOwnType, TIMING_FIELD } from '../lib/names.js'
import { extendKeepingAll, type ExtensibleSchema } from './extend.js'
import { metricsResolvers, timingResolver, type FieldsOptions, type ResolverMap } from './resolvers.js'
import { metricsSdl, timingSdl, timingTypeSdl } from './sdl.js'

export interface SchemaHost extends ExtensibleSchema {
  defineResolvers(resolvers: ResolverMap): unknown
}

/**
 * Adds what a schema lacks of our fields. It is in the schema as soon as it returns, before its promise is fulfilled.
 *
 * @param withMetrics whether `_performanceMetrics` is to be there, and not only `_performance`
 * @throws PerformanceError MPERF_SCHEMA_CONFLICT
 */
export async function addMissingFields(host: SchemaHost, options: FieldsOptions, withMetrics: boolean): Promise<void> {
  const metrics = withMetrics && !hasMetrics(host.schema) ? addMetricsField(host, options) : undefined
  await Promise.all([metrics, addTimingFields(host, options)])
}

/**
 * Adds `_performanceMetrics` to the query type.
 *
 * @throws PerformanceError MPERF_SCHEMA_CONFLICT where the schema has no query type or already has one of our names
 */
export async function addMetricsField(host: SchemaHost, options: FieldsOptions): Promise<void> {
  const queryType = host.schema.getQueryType()?.name
  if (queryType === undefined) throw new PerformanceError('MPERF_SCHEMA_CONFLICT', 'it has no query type')
  await extend(host, metricsSdl(queryType), metricsResolvers(queryType, options))
}

/** Adds `_performance` to every object type that lacks it. */
async function addTimingFields(host: SchemaHost, options: FieldsOptions): Promise<void> {
  const types = objectTypesWithoutTiming(host.schema)
  if (types.length === 0) return
  const isFirst = !hasTimingType(host.schema)
  const resolve = timingResolver(options)
  const resolvers = Object.fromEntries(types.map(type => [type, { [TIMING_FIELD]: resolve }]))
  await extend(host, `${isFirst ? timingTypeSdl : ''}\n${timingSdl(types)}`, resolvers)
}

async function extend(host: SchemaHost, sdl: string, resolvers: ResolverMap): Promise<void> {
  try {
    const hooks = extendKeepingAll(host, parsed(sdl))
    host.defineResolvers(resolvers)
    await hooks
  } catch (error) {
    throw new PerformanceError('MPERF_SCHEMA_CONFLICT', error instanceof Error ? error.message : String(error))
  }
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
  return Object.values(schema.getTypeMap()).some(
    type => 'isTypeOf' in type && String(type.getFields()[TIMING_FIELD]?.type) === 'FieldPerformance'
  )
}

function objectTypesWithoutTiming(schema: GraphQL.GraphQLSchema): string[] {
  const subscription = schema.getSubscriptionType()?.name
  const withMetrics = hasMetrics(schema)
  return Object.values(schema.getTypeMap())
    .filter(type => 'isTypeOf' in type && !(TIMING_FIELD in type.getFields()))
    .map(type => type.name)
    .filter(name => !name.startsWith('__') && !isOwnType(name, withMetrics) && name !== subscription)
}
