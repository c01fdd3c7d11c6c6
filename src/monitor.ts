import { setTimeout as delay } from 'node:timers/promises'
import { patchConfig, type ConfigPatch, type PerformanceConfig } from './config.js'
import { systemClock, type Clock } from './lib/clock.js'
import { FaultGuard, type FaultReport } from './lib/fault-guard.js'
import { shown } from './lib/parse.js'
import { boundedName } from './lib/text.js'
import { startTicker } from './lib/ticker.js'
import { PerformanceLog, type Logger } from './logging/performance-log.js'
import type { Measurement, QueryMeasurement, ResolverMeasurement } from './spans/measurement.js'
import { RunningOperations, type FieldTiming } from './spans/operations.js'
import type { SpanSink } from './spans/processor.js'
import { executionOf, type Execution, type Path } from './spans/resolvers/execution.js'
import type { ExecutionSink } from './spans/resolvers/instrumentation.js'
import { createSqlAnalyzer, type SqlAnalyzer, type Statement } from './spans/sql/analyzer.js'
import { readSnapshot } from './store/read.js'
import type { Snapshot, SnapshotOptions } from './store/snapshot.js'
import { Store } from './store/store.js'

const CACHE_NAME_LIMIT = 128
/** A day. A slip such as nanoseconds for seconds would spoil the sums of everything else. */
const LONGEST_CACHE_CALL = 86_400e9
const FLUSH_LIMIT = 2000
const TICK = 1000
const SWEPT_A_TICK = 500

export interface MonitorOptions {
  readonly clock?: Clock
  /** Distinct series a dimension. */
  readonly seriesLimit?: number
}

export function createMonitor(config: PerformanceConfig, options: MonitorOptions = {}): Monitor {
  return new Monitor(config, options)
}

/** Takes measurements, remembers them, answers for them. One a process; a test makes its own. */
export class Monitor implements SpanSink, ExecutionSink {
  readonly operations = new RunningOperations()
  readonly sql: SqlAnalyzer = createSqlAnalyzer()
  readonly store: Store
  #config: PerformanceConfig
  readonly #log: PerformanceLog
  readonly #guard: FaultGuard
  readonly #close: () => void
  #flush: () => Promise<void> = () => Promise.resolve()

  constructor(config: PerformanceConfig, { clock = systemClock, seriesLimit = 2000 }: MonitorOptions) {
    this.#config = config
    this.store = new Store({ clock, retentionPeriod: config.retentionPeriod, seriesLimit })
    this.#log = new PerformanceLog(clock, () => this.#config)
    this.#guard = new FaultGuard({
      clock,
      report: (message, error) => {
        this.#log.logger?.error({ err: error }, `PERFORMANCE: ${message}`)
      }
    })
    const ticker = startTicker(TICK, () => {
      this.#tick()
    })
    this.#close = () => {
      ticker.stop()
    }
  }

  get config(): PerformanceConfig {
    return this.#config
  }

  /** The monitor's own faults; the application never sees one. */
  get faults(): FaultReport {
    return this.#guard.report
  }

  set logger(logger: Logger) {
    this.#log.logger = logger
  }

  /**
   * Changes the configuration while the process runs. Unknown keys, null and undefined are ignored.
   *
   * @throws PerformanceError MPERF_CONFIG_INVALID where a value is of the wrong type or range; nothing is changed then
   */
  configure(patch: ConfigPatch): void {
    const before = this.#config
    this.#config = patchConfig(before, patch)
    if (this.#config.retentionPeriod !== before.retentionPeriod) this.store.setRetention(this.#config.retentionPeriod)
  }

  /** Plain data about everything inside the retention, or the part that is asked for. */
  snapshot(options: SnapshotOptions = {}): Snapshot {
    return readSnapshot(this.store, this.#config, options)
  }

  /** Counts a cache hit that took `seconds`. Never throws: what is no duration is dropped and counted. */
  trackCacheHit(seconds: number, name = 'default'): void {
    this.#trackCache('hit', seconds, name)
  }

  /** Counts a cache miss that took `seconds`, the load included. Never throws. */
  trackCacheMiss(seconds: number, name = 'default'): void {
    this.#trackCache('miss', seconds, name)
  }

  /** The time of the resolver call that returned the object whose field at `path` is being resolved. */
  timingAbove(contextValue: unknown, path: Path): FieldTiming | undefined {
    return executionOf(contextValue)?.timingAbove(path) ?? this.operations.currentTiming()
  }

  now(): number {
    return this.store.clock.monotonic()
  }

  accepts(): boolean {
    return this.#config.enabled && this.#guard.open()
  }

  resolver(name: string, measurement: ResolverMeasurement): void {
    this.store.recordResolver(name, measurement)
    this.#log.resolver(name, measurement)
  }

  query(statement: Statement, measurement: QueryMeasurement): void {
    this.store.recordQuery(statement, measurement)
    this.#log.query(statement, measurement)
  }

  executed({ facts, statements, trace }: Execution, nanoseconds: number, failed: boolean): void {
    if (facts.isOwn) return
    const measurement = { duration: nanoseconds, failed, argsCount: null, traceId: trace }
    this.store.recordOperation(facts.seriesName, facts, measurement, statements)
  }

  operation(type: string, name: string, measurement: Measurement, statements: number): void {
    this.store.recordOperation(name, { type }, measurement, statements)
  }

  succeeded(): void {
    this.#guard.succeeded()
  }

  caught(error: unknown): void {
    this.#guard.caught(error)
  }

  /** Says how spans that still wait for export are sent. */
  set exporting(flush: () => Promise<void>) {
    this.#flush = flush
  }

  /** Sends spans that still wait for export and writes what the log left out; takes at most two seconds. */
  async flush(): Promise<void> {
    this.#log.flush()
    await Promise.race([this.#flush().catch(() => undefined), delay(FLUSH_LIMIT, undefined, { ref: false })])
  }

  /** Stops the background work; what was measured can still be read. */
  close(): void {
    this.#close()
  }

  #trackCache(outcome: 'hit' | 'miss', seconds: number, name: string): void {
    if (!this.accepts()) return
    try {
      const duration = Math.round(seconds * 1e9)
      if (!(duration >= 0 && duration <= LONGEST_CACHE_CALL)) {
        this.#guard.refused(
          new RangeError(`a cache ${outcome} took ${shown(seconds)}: expected seconds from 0 to 86400`)
        )
        return
      }
      const measurement = { duration, failed: false, argsCount: null, traceId: null }
      const bounded = boundedName(name, CACHE_NAME_LIMIT)
      this.store.recordCache(outcome, bounded, measurement)
      this.#log.cache(outcome, bounded, measurement)
      this.succeeded()
    } catch (error) {
      this.caught(error)
    }
  }

  #tick(): void {
    try {
      this.#log.tick()
      this.store.sweep(SWEPT_A_TICK)
    } catch (error) {
      this.caught(error)
    }
  }
}
