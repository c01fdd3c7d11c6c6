import { setTimeout as delay } from 'node:timers/promises'
import { patchConfig, type ConfigPatch, type PerformanceConfig } from './config.js'
import { PoolGroup } from './database/pool-group.js'
import { poolReport } from './database/pool-report.js'
import { systemClock, type Clock } from './lib/clock.js'
import { FaultGuard, type FaultReport } from './lib/fault-guard.js'
import { shown } from './lib/parse.js'
import { boundedName } from './lib/text.js'
import { startTicker } from './lib/ticker.js'
import { PerformanceLog, type Logger } from './logging/performance-log.js'
import type { DetailLevel } from './self/detail.js'
import { DetailControl } from './self/detail-control.js'
import { SelfMeter } from './self/meter.js'
import { selfReport } from './self/report.js'
import type { Measurement, QueryMeasurement, ResolverMeasurement, TraceId } from './spans/measurement.js'
import { RunningOperations, type FieldTiming, type OperationCost } from './spans/operations.js'
import type { SpanSink } from './spans/processor.js'
import { executionOf, type Execution, type Path } from './spans/resolvers/execution.js'
import type { CallWriter, DirectContexts, ExecutionSink, SlowTraceExport } from './spans/resolvers/sinks.js'
import type { SpanEnded } from './spans/resolvers/span.js'
import { createSqlAnalyzer, type SqlAnalyzer, type Statement } from './spans/sql/analyzer.js'
import type { ExportReport } from './spans/export/account.js'
import type { Exporting } from './spans/telemetry.js'
import type { ProcessHistory } from './store/history.js'
import { readPoolWaits, readSnapshot } from './store/read.js'
import type { Snapshot, SnapshotOptions } from './store/snapshot.js'
import { nothing } from './store/summary.js'
import type { SlowKind } from './store/slow.js'
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
  readonly operations = new RunningOperations(name => {
    this.store.addStatements(name, 1)
  })
  readonly store: Store
  /** The pools of the process, and the budget for retries that they share. */
  readonly pools = new PoolGroup((name, nanoseconds) => {
    this.#waited(name, nanoseconds)
  })
  /** Grows whenever resolvers may have been put into a schema that was executed before. */
  schemaVersion = 0
  contexts: DirectContexts | undefined
  spanEnded: SpanEnded | undefined
  slowTraces: SlowTraceExport | undefined
  /** What is exported of the process; undefined where nothing can be. */
  exporting: Exporting | undefined
  /** Undefined where it is off. */
  history: ProcessHistory | undefined
  /** What this process has written history under. */
  readonly boots = new Set<string>()
  /** What was measured under this instance's name before this process, where history is on. */
  earlier: Store | undefined
  #sendsSql = false
  /** What the measuring parts count and time their own work with; see `spans/self-measurement.ts`. */
  readonly meter: SelfMeter
  #sql: SqlAnalyzer | undefined
  readonly #clock: Clock
  #config: PerformanceConfig
  readonly #log: PerformanceLog
  readonly #guard: FaultGuard
  readonly #control: DetailControl
  readonly #close: () => void

  constructor(config: PerformanceConfig, { clock = systemClock, seriesLimit = 2000 }: MonitorOptions) {
    this.#clock = clock
    this.#config = config
    if (config.enabled) this.#sql = createSqlAnalyzer()
    this.store = new Store({ clock, retentionPeriod: config.retentionPeriod, seriesLimit })
    this.#log = new PerformanceLog(clock, () => this.#config)
    this.#guard = new FaultGuard({
      clock,
      report: (message, error) => {
        this.#log.logger?.error({ err: error }, `PERFORMANCE: ${message}`)
        return this.#log.logger !== undefined
      }
    })
    this.meter = new SelfMeter(clock)
    this.#control = new DetailControl(this.meter, clock.monotonic(), (level, fields, message) => {
      this.#log.logger?.[level](fields, message)
    })
    const ticker = startTicker(TICK, () => {
      this.#tick()
    })
    this.#close = () => {
      ticker.stop()
    }
  }

  /** Where measuring was off at first it is made when asked for: its parser is much to load for nothing. */
  get sql(): SqlAnalyzer {
    return (this.#sql ??= createSqlAnalyzer())
  }

  get config(): PerformanceConfig {
    return this.#config
  }

  /** The monitor's own faults; the application never sees one. */
  get faults(): FaultReport {
    return this.#guard.report
  }

  /** How much is measured now; another object once that changes. Cheap to ask for each operation. */
  get detail(): DetailLevel {
    return this.#control.detail
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
    const { retentionPeriod } = this.#config
    if (retentionPeriod === before.retentionPeriod) return
    this.store.setRetention(retentionPeriod)
    this.earlier?.setRetention(retentionPeriod)
  }

  /** Plain data about everything inside the retention, or the part that is asked for. */
  snapshot(options: SnapshotOptions = {}): Snapshot {
    const self = selfReport(
      {
        meter: this.meter,
        control: this.#control,
        store: this.store,
        faults: this.faults,
        budget: this.#config.overheadBudget,
        exported: this.exporting?.report,
        history: this.history?.report
      },
      options.include?.includes('self') ?? true
    )
    return {
      ...readSnapshot(this.store, this.#config, options, this.earlier),
      self,
      pool: this.#poolSnapshot(options)
    }
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

  /** What the operation cost that was executed with this context value; undefined where it was not measured. */
  costOf(contextValue: unknown): OperationCost | undefined {
    const execution = executionOf(contextValue)
    if (execution === undefined || execution.isRunning || !execution.isMeasured) return undefined
    const { duration, statements, sqlTime, trace } = execution
    return { duration, statements, sqlTime, trace }
  }

  now(): number {
    return this.#clock.monotonic()
  }

  get sendsSql(): boolean {
    return this.#sendsSql
  }

  /** From now on queries may be sent, so that resolver calls need contexts. */
  foundSqlClient(): void {
    this.#sendsSql = true
  }

  get slowTracesPerMinute(): number {
    return this.#config.slowTracesPerMinute
  }

  get maxResolverSpans(): number {
    return this.#config.maxResolverSpans
  }

  /** Resolvers may have been put into a schema that was executed before. */
  schemaChanged(): void {
    this.schemaVersion += 1
  }

  accepts(): boolean {
    return this.#config.enabled && this.#guard.open()
  }

  get isEnabled(): boolean {
    return this.#config.enabled
  }

  resolver(name: string, measurement: ResolverMeasurement): void {
    this.store.recordResolver(name, measurement)
    this.#log.resolver(name, measurement)
    if (measurement.duration >= this.#config.slowResolverThreshold * 1e9)
      this.#slow('RESOLVER', name, null, measurement)
  }

  callWriter(name: string): CallWriter {
    return this.store.callWriter(name)
  }

  get loggedFrom(): number {
    const { logAllMetrics, slowResolverThreshold } = this.#config
    return logAllMetrics ? 0 : slowResolverThreshold * 1e9
  }

  log(name: string, duration: number, failed: boolean, traceId: TraceId): void {
    const measurement = { duration, failed, argsCount: null, traceId }
    this.#log.resolver(name, measurement)
    if (duration >= this.#config.slowResolverThreshold * 1e9) this.#slow('RESOLVER', name, null, measurement)
  }

  batch(name: string, size: number, nanoseconds: number, failed: boolean): void {
    const measurement = { duration: nanoseconds, failed, argsCount: null, traceId: null }
    this.store.recordBatch(name, size, measurement)
  }

  /** Counts a call that was not timed, for `detail.sampleEvery` is above 1. */
  counted(name: string, failed: boolean, statements = 0): void {
    this.store.countResolver(name, failed, statements)
  }

  query(statement: Statement, measurement: QueryMeasurement): void {
    this.#sendsSql = true
    this.store.recordQuery(statement, measurement)
    this.#log.query(statement, measurement)
    if (measurement.duration < this.#config.slowQueryThreshold * 1e9) return
    this.#slow('QUERY', statement.name, statement.text, measurement)
  }

  executed(execution: Execution, nanoseconds: number, failed: boolean): void {
    const { facts, statements, trace, kept } = execution
    if (facts.isOwn) return
    const measurement = { duration: nanoseconds, failed, argsCount: null, traceId: trace }
    const isSlow = nanoseconds >= this.#config.slowOperationThreshold * 1e9
    // First, since what is exported does not depend on whether it can be recorded.
    if (kept !== undefined) this.slowTraces?.ended(execution, failed, failed || isSlow || trace.hasSlowPart)
    this.store.recordOperation(facts.seriesName, facts, measurement, statements, facts.key)
    if (isSlow) this.#slow('OPERATION', facts.seriesName, facts.source, measurement)
  }

  operation(type: string, name: string, measurement: Measurement, statements: number): void {
    this.store.recordOperation(name, { type }, measurement, statements)
    if (measurement.duration < this.#config.slowOperationThreshold * 1e9) return
    this.#slow('OPERATION', name, null, measurement)
  }

  succeeded(): void {
    this.#guard.succeeded()
  }

  caught(error: unknown): void {
    this.#guard.caught(error)
  }

  /** Takes note of something that was not measured; while measuring is off on purpose, nothing is missing. */
  lost(): void {
    if (this.#config.enabled) this.meter.dropped += 1
  }

  /** Writes what OpenTelemetry has to say: into the app's log, or to standard error while there is none. */
  readonly diagnosed = (level: 'warn' | 'error', line: string): void => {
    const { logger } = this.#log
    if (logger === undefined) process.stderr.write(`mercurius-performance: OpenTelemetry: ${line}\n`)
    else logger[level]({}, `OpenTelemetry: ${line}`)
  }

  /**
   * Sends spans that still wait for export and writes what the log left out; takes at most two seconds. What cannot be
   * sent in them is counted in the log.
   */
  async flush(): Promise<void> {
    this.#log.flush()
    const { exporting } = this
    if (exporting === undefined) return
    const before = lostIn(exporting.report)
    await Promise.race([exporting.flush().catch(() => undefined), delay(FLUSH_LIMIT, undefined, { ref: false })])
    const unsent = lostIn(exporting.report) + (exporting.report?.waiting ?? 0) - before
    if (unsent > 0) this.#log.logger?.warn({ unsent }, `PERFORMANCE: ${unsent} spans were not sent`)
  }

  /** Stops the background work; what was measured can still be read. */
  close(): void {
    this.#close()
  }

  #poolSnapshot({ include }: SnapshotOptions): Snapshot['pool'] {
    if (!(include?.includes('pool') ?? true)) return poolReport(new PoolGroup(), nothing, () => nothing)
    const { all, byName } = readPoolWaits(this.store)
    return poolReport(this.pools, all, name => byName.get(name) ?? nothing)
  }

  #waited(pool: string, nanoseconds: number): void {
    if (!this.accepts()) return
    try {
      this.store.recordPoolWait(pool, nanoseconds)
    } catch (error) {
      this.caught(error)
    }
  }

  #slow(kind: SlowKind, name: string, text: string | null, measurement: Measurement): void {
    const { traceId } = measurement
    if (typeof traceId === 'object' && traceId !== null) traceId.hasSlowPart = true
    this.store.slow.add(kind, name, text, this.now(), measurement)
  }

  #trackCache(outcome: 'hit' | 'miss', seconds: number, name: string): void {
    if (!this.accepts()) return
    const { cacheCalls } = this.meter
    if (!cacheCalls.choose()) {
      this.#recordCache(outcome, seconds, name)
      return
    }
    cacheCalls.time(() => {
      this.#recordCache(outcome, seconds, name)
    })
  }

  #recordCache(outcome: 'hit' | 'miss', seconds: number, name: string): void {
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
    } catch (error) {
      this.caught(error)
    }
  }

  #tick(): void {
    try {
      const began = this.now()
      this.#log.tick()
      this.store.sweep(SWEPT_A_TICK)
      this.earlier?.sweep(SWEPT_A_TICK)
      const ended = this.now()
      this.meter.tick(ended - began)
      this.#control.tick(this.#config.overheadBudget, ended)
    } catch (error) {
      this.caught(error)
    }
  }
}

function lostIn(report: ExportReport | undefined): number {
  return report === undefined ? 0 : report.failed + report.dropped
}
