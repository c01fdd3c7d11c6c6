import { resolveConfig, type ConfigPatch } from './config.js'
import { createPool as createPoolIn, type ResilientPool } from './database/pool.js'
import type { CreatePoolOptions } from './database/pool-options.js'
import { StoreMetricProducer, type ProducerOptions } from './metrics/producer.js'
import { createMonitor, type Monitor } from './monitor.js'
import { SpanAggregator, type SpanSink } from './spans/processor.js'
import { ExecutionInstrumentation } from './spans/resolvers/instrumentation.js'
import type { ExecutionSink } from './spans/resolvers/sinks.js'
import type { Snapshot } from './store/snapshot.js'

const KEY = Symbol.for('mercurius-performance.monitor')

const SOURCE = Symbol.for('mercurius-performance.source')

/** What has been set where `isSdkDisabled()`. */
export const SDK_DISABLED = 'OTEL_SDK_DISABLED=true'

interface Shared {
  /** True where something gives it spans; else the setting for which nothing was installed, if there is one. */
  [SOURCE]: true | string | undefined
  [KEY]: Monitor | undefined
}

const shared = globalThis as unknown as Shared

/**
 * The one monitor of the process, made from the environment when first asked for. It hangs on the global object, as
 * OpenTelemetry's own globals do, so that the preload, the plugin and a second copy of the package find the same one.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID where a variable has a bad value
 */
export function processMonitor(): Monitor {
  return (shared[KEY] ??= createMonitor(resolveConfig(process.env)))
}

/** Whether anything gives the process's monitor spans: the preload, or a processor in a NodeSDK. */
export function hasSpanSource(): boolean {
  return shared[SOURCE] === true
}

export function markSpanSource(): void {
  shared[SOURCE] = true
}

/** Whether OpenTelemetry's SDK does nothing in this process, so that nobody would get spans of queries. */
export function isSdkDisabled(): boolean {
  return process.env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true'
}

/** Takes note that an application's own NodeSDK is to give it spans. */
function markOwnSource(): void {
  if (isSdkDisabled()) markSwitchedOff(SDK_DISABLED)
  else markSpanSource()
}

/** The setting, such as `PERFORMANCE_ENABLED=false`, for which nothing was installed. */
export function switchedOffBy(): string | undefined {
  const source = shared[SOURCE]
  return typeof source === 'string' ? source : undefined
}

export function markSwitchedOff(setting: string): void {
  shared[SOURCE] ??= setting
}

/** For an app that assembles its own NodeSDK: add one to `spanProcessors`. */
export class PerformanceSpanProcessor extends SpanAggregator {
  constructor(sink: SpanSink = processMonitor()) {
    super(sink)
    markOwnSource()
  }
}

/** For the same app: add one to `instrumentations`, after the one for pg and before the one for GraphQL, and set its `ignoreResolveSpans`. */
export class ResolverInstrumentation extends ExecutionInstrumentation {
  constructor(sink: ExecutionSink = processMonitor()) {
    // Else it would count resolvers and operations without their queries.
    super({ sink, isInstalled: !isSdkDisabled() })
    markOwnSource()
  }
}

/**
 * For the `metricProducers` of a metric reader in such a NodeSDK: one for each reader. What the reader has asked for counts
 * as delivered: what becomes of it then, the reader does not tell.
 */
export class PerformanceMetricProducer extends StoreMetricProducer {
  constructor(options: ProducerOptions = {}) {
    super(processMonitor().store, options)
  }
}

/**
 * Changes the configuration of the process's monitor; see `PerformanceConfig` for keys and units.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID where a value is of the wrong type or range; nothing is changed then
 */
export function configure(patch: ConfigPatch): void {
  processMonitor().configure(patch)
}

/**
 * A pool in the place of `new pg.Pool(options)` that replaces broken connections, tries again what provably did not happen
 * and answers by a deadline. All pools of the process share one budget for retries; `_performanceMetrics` has their numbers.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID naming the option, its value and what is right
 */
export function createPool(options: CreatePoolOptions = {}): ResilientPool {
  return createPoolIn(options, processMonitor().pools)
}

/** Counts a cache hit that took `seconds`, for the cache called `name`. */
export function trackCacheHit(seconds: number, name?: string): void {
  processMonitor().trackCacheHit(seconds, name)
}

/** Counts a cache miss that took `seconds`, for the cache called `name`. */
export function trackCacheMiss(seconds: number, name?: string): void {
  processMonitor().trackCacheMiss(seconds, name)
}

/** Everything the monitor reports: resolvers, queries, statements, operations, cache, config. */
export function getAllMetrics(): Snapshot {
  return processMonitor().snapshot()
}
