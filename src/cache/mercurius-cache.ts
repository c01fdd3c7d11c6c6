import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql'
import type { CacheOutcome } from './cache-calls.js'

/** The options of mercurius-cache that matter here; all others pass through. */
interface CacheOptions {
  readonly all?: boolean
  readonly policy?: Readonly<Record<string, object>>
  readonly onHit?: Listener
  readonly onMiss?: Listener
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
    const listening = { ...given, onHit: noting('hit', options.onHit), onMiss: noting('miss', options.onMiss) }
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

function timeCachedFields(
  schema: GraphQLSchema,
  { all, policy }: CacheOptions,
  calls: AsyncLocalStorage<Call>,
  tracker: CacheTracker
): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!('isTypeOf' in type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields())) {
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
