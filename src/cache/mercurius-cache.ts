import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema } from 'graphql'
import { hasMetrics, isOwnField } from '../lib/names.js'
import { schemaChanged } from '../lib/schema-watch.js'
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

/** A call that is under way, and what the cache has said of it. */
interface Call {
  readonly name: string
  outcome?: CacheOutcome
  /** Undefined once it has ended: what was opened meanwhile may hold the call for long. */
  info: GraphQLResolveInfo | undefined
}

/** What mercurius-cache and the gateway put on the app. */
interface Cached {
  readonly graphql: { readonly schema: GraphQLSchema; readonly cache: { refresh(): void } }
  readonly graphqlGateway?: {
    addHook(name: 'onGatewayReplaceSchema', hook: (app: unknown, schema: GraphQLSchema) => Promise<void>): void
  }
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
        // The first to speak is the newest cache; below it may be those that were there before a refresh.
        if (call) call.outcome ??= outcome
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
    const { graphql, graphqlGateway } = app as unknown as Cached
    const refresh = graphql.cache.refresh.bind(graphql.cache)
    // The cache calls it too, when the app is ready; each time it puts itself around what resolves then.
    graphql.cache.refresh = () => {
      refresh()
      timeCachedFields(graphql.schema, options, calls, app.performance)
      // What measured the resolvers is inside of the cache now, where a hit does not come.
      schemaChanged(graphql)
    }
    // The cache has a hook of its own there, which comes first and puts it into the new schema without a refresh.
    graphqlGateway?.addHook('onGatewayReplaceSchema', (_, schema) => {
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

/** As Apollo Federation's libraries have it on a type: what finds an object of it for another service. */
interface Referenced {
  resolveReference?: Resolver
}

const REFERENCE = '__resolveReference'

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
  const wrap = (name: string, resolve: Resolver): Resolver => timed(name, resolve, calls, tracker)
  for (const type of Object.values(schema.getTypeMap())) {
    if (!('isTypeOf' in type) || type.name.startsWith('__')) continue
    const { resolveReference } = type as Referenced
    // With `all` the cache leaves references out.
    if (resolveReference && all !== true && hasPolicy(policy, type.name, REFERENCE)) {
      Object.assign(type, { resolveReference: wrap(`${type.name}.${REFERENCE}`, resolveReference) })
    }
    for (const field of Object.values(type.getFields())) {
      if (isOwnField(type.name, field.name, withMetrics)) continue
      const isCached = all === true || hasPolicy(policy, type.name, field.name)
      if (isCached && field.resolve) field.resolve = wrap(`${type.name}.${field.name}`, field.resolve)
    }
  }
}

function hasPolicy(policy: CacheOptions['policy'], type: string, field: string): boolean {
  return Object.hasOwn(policy?.[type] ?? {}, field)
}

function timed(name: string, resolve: Resolver, calls: AsyncLocalStorage<Call>, tracker: CacheTracker): Resolver {
  return function (this: unknown, ...given: Parameters<Resolver>): unknown {
    const [, , , info] = given
    const outer = calls.getStore()
    // Inside of a cache that was put around this one by a refresh it is the same call.
    if (outer?.info === info && outer.name === name) return resolve.apply(this, given)
    const call: Call = { name, info }
    const start = performance.now()
    const result = calls.run(call, () => resolve.apply(this, given))
    const settled = (): void => {
      call.info = undefined
      const seconds = (performance.now() - start) / 1000
      if (call.outcome === 'hit') tracker.trackCacheHit(seconds, name)
      else if (call.outcome === 'miss') tracker.trackCacheMiss(seconds, name)
    }
    Promise.resolve(result).then(settled, settled)
    return result
  }
}
