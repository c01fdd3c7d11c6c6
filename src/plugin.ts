import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { isProduction, type ConfigPatch, type PerformanceConfig } from './config.js'
import { PerformanceError } from './errors.js'
import { bearerAuthorization, isAdministrator, readTokens, type Authorize } from './graphql/access.js'
import { keepFields, type AppSchema } from './graphql/kept-fields.js'
import type { FieldsOptions } from './graphql/resolvers.js'
import { addTimingHeaders, type ResolutionHost } from './graphql/timing-headers.js'
import { historySettings, type HistoryOptions } from './history/settings.js'
import { keepHistory } from './keep-history.js'
import { hasMetrics } from './lib/names.js'
import { shown } from './lib/parse.js'
import { isWatched } from './lib/schema-watch.js'
import type { Monitor } from './monitor.js'
import { addMetricsRoute } from './metrics/route.js'
import { hasSpanSource, processMonitor } from './process-monitor.js'
import { warnOfBlindness } from './self-test.js'
import type { Snapshot, SnapshotOptions } from './store/snapshot.js'

export interface PluginOptions extends ConfigPatch {
  /** Tokens of administrators, each of at least 32 characters. Default: `PERFORMANCE_ADMIN_TOKEN`. */
  readonly adminToken?: string | readonly string[] | null | undefined
  /** Decides who is an administrator instead of the tokens. */
  readonly authorize?: Authorize
  /**
   * Whether `_performanceMetrics` is in the schema. Default: yes, but in production only where a token or `authorize`
   * is given.
   */
  readonly exposeMetrics?: boolean
  /** Whether `GET /metrics` is there wherever `_performanceMetrics` is, or on a gateway would be. Default: yes. */
  readonly metricsRoute?: boolean
  /** Whether history is kept, and where. Default: `PERFORMANCE_HISTORY` and its companions. */
  readonly history?: boolean | HistoryOptions
  /** The application's database, where history is kept unless another one is named. Default: `DATABASE_URL`. */
  readonly databaseUrl?: string
  /** Another monitor than the process's; for tests. */
  readonly monitor?: Monitor
}

/** What `app.performance` offers. */
export interface AppPerformance {
  readonly config: PerformanceConfig
  configure(patch: ConfigPatch): void
  snapshot(options?: SnapshotOptions): Snapshot
  trackCacheHit(seconds: number, name?: string): void
  trackCacheMiss(seconds: number, name?: string): void
}

declare module 'fastify' {
  interface FastifyInstance {
    performance: AppPerformance
  }
}

async function register(app: FastifyInstance, options: PluginOptions): Promise<void> {
  const host = hostOf(app)
  if (app.hasDecorator('performance') || isWatched(host)) throw new PerformanceError('MPERF_REGISTERED_TWICE')
  const hasSource = options.monitor !== undefined || hasSpanSource()
  const monitor = options.monitor ?? processMonitor()
  const { fields, exposed, hasCredential } = accessOf(options, monitor)
  const hasRoute = hasMetricsRoute(options)
  const history = historySettings(process.env, options.history, options.databaseUrl)

  const warn = (): void => {
    if (monitor.config.enabled) warnOfBlindness(app.log, hasSource, host.schema)
  }
  monitor.configure(options)
  monitor.logger = app.log
  app.decorate('performance', performanceOf(monitor, warn))
  if (exposed && hasRoute) {
    addMetricsRoute(app, {
      store: monitor.store,
      isAdministrator: reply => isAdministrator(fields.authorize, { reply })
    })
  }
  const addFields = keepFields(host, {
    fields,
    withMetrics: exposed,
    isGateway: app.hasDecorator('graphqlGateway'),
    changed: () => {
      monitor.schemaChanged()
    },
    log: app.log
  })
  await addFields()
  monitor.operations.withMetrics ||= hasMetrics(host.schema)
  // A login of the application's own is asked only for those who ask for it.
  if (hasCredential)
    addTimingHeaders(host, fields, options.authorize === undefined ? 'authorization' : 'x-server-timing')
  app.addHook('onReady', async () => {
    // The schema may have grown since.
    await addFields()
    warn()
  })
  app.addHook('onClose', () => monitor.flush())
  if (history !== undefined && monitor.config.enabled) await keepHistory(app, monitor, history)
  if (monitor.config.enabled) await monitor.sql.ready
}

/**
 * Answers `_performanceMetrics` and `_performance` over the app's GraphQL schema. Register it after Mercurius.
 *
 * @throws PerformanceError MPERF_MERCURIUS_MISSING, MPERF_REGISTERED_TWICE, MPERF_CONFIG_INVALID,
 * MPERF_CREDENTIAL_MISSING, MPERF_SCHEMA_CONFLICT
 */
export const mercuriusPerformance = fastifyPlugin(register, { name: 'mercurius-performance', fastify: '5.x' })

function hostOf(app: FastifyInstance): AppSchema & ResolutionHost {
  const { graphql } = app as { graphql?: AppSchema & ResolutionHost }
  if (graphql === undefined) throw new PerformanceError('MPERF_MERCURIUS_MISSING')
  return graphql
}

function hasMetricsRoute({ metricsRoute = true }: PluginOptions): boolean {
  if (typeof metricsRoute === 'boolean') return metricsRoute
  throw new PerformanceError('MPERF_CONFIG_INVALID', `metricsRoute is ${shown(metricsRoute)}: expected true or false`)
}

interface Access {
  readonly fields: FieldsOptions
  /** Whether `_performanceMetrics` is in the schema. */
  readonly exposed: boolean
  /** Whether anybody can be an administrator. */
  readonly hasCredential: boolean
}

function accessOf(options: PluginOptions, monitor: Monitor): Access {
  const { exposeMetrics } = options
  if (options.authorize !== undefined && typeof options.authorize !== 'function') {
    throw new PerformanceError('MPERF_CONFIG_INVALID', `authorize is ${shown(options.authorize)}: expected a function`)
  }
  if (exposeMetrics !== undefined && typeof exposeMetrics !== 'boolean') {
    throw new PerformanceError(
      'MPERF_CONFIG_INVALID',
      `exposeMetrics is ${shown(exposeMetrics)}: expected true or false`
    )
  }
  const tokens =
    options.adminToken === undefined || options.adminToken === null
      ? readTokens('PERFORMANCE_ADMIN_TOKEN', process.env.PERFORMANCE_ADMIN_TOKEN)
      : readTokens('adminToken', options.adminToken)
  const production = isProduction(process.env)
  const hasCredential = tokens.length > 0 || options.authorize !== undefined
  const exposed = exposeMetrics ?? (hasCredential || !production)
  if (exposeMetrics === true && production && !hasCredential) {
    throw new PerformanceError('MPERF_CREDENTIAL_MISSING')
  }
  const authorize = options.authorize ?? bearerAuthorization(tokens)
  return { exposed, hasCredential, fields: { reader: monitor, authorize, timingForAdministratorsOnly: production } }
}

function performanceOf(monitor: Monitor, warn: () => void): AppPerformance {
  return {
    get config() {
      return monitor.config
    },
    configure: patch => {
      const wasEnabled = monitor.config.enabled
      monitor.configure(patch)
      if (!wasEnabled) warn()
    },
    snapshot: wanted => monitor.snapshot(wanted),
    trackCacheHit: (seconds, name) => {
      monitor.trackCacheHit(seconds, name)
    },
    trackCacheMiss: (seconds, name) => {
      monitor.trackCacheMiss(seconds, name)
    }
  }
}
