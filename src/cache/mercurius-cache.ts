import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema } from 'graphql'
import { hasMetrics, isOwnField } from '../lib/names.js'
import type { CacheOutcome } from './cache-calls.js'

/** The options of mercurius-cache that matter here; all others pass through. */
interface CacheOptions {
  readonly all?: boolean
  readonly policy?: Readonly<Record<string, object>>
  /** Says, at once or as a promise, whether a call goes past the cache. */
  readonly skip?: unknown
  readonly onHit?: Listener
  readonly onMiss?: Listener
  readonly onSkip?: Listener
}

type Listener = (type: string, field: string) => void

/** What the cache has said about the call that is under way. */
interface Call {
  outcome?: CacheOutcome
}

/** Where hits and misses are counted, such as `app.performance`. */
export interface CacheTracker {
  trackCacheHit(seconds: number, name?: string): void
  trackCacheMiss(seconds: number, name?: string): void
}

/**
 * mercurius-cache with its hits and misses counted and timed, one cache a field, called `Type.field`:
 *
 *     await app.register(trackedCache(mercuriusCache), { ttl: 10, policy: { Query: { labels: true } } })
 *
 * A hit's time is that of the look-up, a miss's that of look-up and load. A call that joins a running load is neither.
 * The monitor's own fields are never cached, with `all` and by a policy neither: the cache does not ask who calls.
 */
export function trackedCache<Options extends object>(
  cachePlugin: FastifyPluginAsync<Options> | FastifyPluginCallback<Options>
): FastifyPluginAsync<Options> {
  const register = async (app: FastifyInstance, given: Options): Promise<void> => {
    const options = given as CacheOptions
    const calls = new AsyncLocalStorage<Call>()
    const noting =
      (outcome: CacheOutcome, listener?: Listener): Listener =>
      (type, field) => {
        const call = calls.getStore()
        if (call) call.outcome = outcome
        listener?.(type, field)
      }
    const listening = {
      ...given,
      skip: skipOwnFields(options.skip),
      ...(options.onSkip !== undefined && {
        onSkip: (type: string, field: string) => {
          if (!isOwnField(type, field, hasMetrics(app.graphql.schema))) options.onSkip?.(type, field)
        }
      }),
      onHit: noting('hit', options.onHit),
      onMiss: noting('miss', options.onMiss)
    }
    await app.register(cachePlugin as FastifyPluginAsync, listening)
    // The cache puts itself around the resolvers when the app is ready; this hook runs right after.
    app.addHook('onReady', () => {
      const { schema } = (app as unknown as { graphql: { schema: GraphQLSchema } }).graphql
      timeCachedFields(schema, options, calls, app.performance)
      return Promise.resolve()
    })
  }
  return fastifyPlugin(register, {
    name: 'mercurius-performance-cache',
    fastify: '5.x',
    dependencies: ['mercurius-performance']
  })
}

type Resolver = GraphQLFieldResolver<unknown, unknown>

/** `skip`, and besides it the fields of the monitor. */
function skipOwnFields(skip: unknown): unknown {
  // What is no function is for the cache to refuse.
  if (typeof skip !== 'function' && Boolean(skip)) return skip
  return (self: unknown, given: unknown, contextValue: unknown, info: GraphQLResolveInfo): unknown =>
    isOwnField(info.parentType.name, info.fieldName, hasMetrics(info.schema)) ||
    (typeof skip === 'function' && (skip as Resolver)(self, given, contextValue, info))
}

function timeCachedFields(
  schema: GraphQLSchema,
  { all, policy }: CacheOptions,
  calls: AsyncLocalStorage<Call>,
  tracker: CacheTracker
): void {
  const withMetrics = hasMetrics(schema)
  for (const type of Object.values(schema.getTypeMap())) {
    if (!('isTypeOf' in type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields())) {
      if (isOwnField(type.name, field.name, withMetrics)) continue
      const isCached = all === true || Object.hasOwn(policy?.[type.name] ?? {}, field.name)
      if (isCached && field.resolve) field.resolve = timed(`${type.name}.${field.name}`, field.resolve, calls, tracker)
    }
  }
}

function timed(name: string, resolve: Resolver, calls: AsyncLocalStorage<Call>, tracker: CacheTracker): Resolver {
  return function (this: unknown, ...given: Parameters<Resolver>): unknown {
    const call: Call = {}
    const start = performance.now()
    const result = calls.run(call, () => resolve.apply(this, given))
    const settled = (): void => {
      const seconds = (performance.now() - start) / 1000
      if (call.outcome === 'hit') tracker.trackCacheHit(seconds, name)
      else if (call.outcome === 'miss') tracker.trackCacheMiss(seconds, name)
    }
    Promise.resolve(result).then(settled, settled)
    return result
  }
}
