import type { CacheOutcome, CacheSink } from './cache/cache-calls.js'
import type { PerformanceConfig } from './config.js'
import type { Clock } from './lib/clock.js'
import { FaultGuard } from './lib/fault-guard.js'
import { PerformanceLog } from './logging/performance-log.js'
import type { DetailLevel } from './self/detail.js'
import { DetailControl } from './self/detail-control.js'
import { SelfMeter } from './self/meter.js'
import type { Measurement, QueryMeasurement, TraceId } from './spans/measurement.js'
import { RunningOperations } from './spans/operations.js'
import type { SpanSink } from './spans/processor.js'
import type { Execution } from './spans/resolvers/execution.js'
import type {
  CallWriter,
  DirectContexts,
  ExecutionSink,
  OperationWriter,
  SlowTraceExport
} from './spans/resolvers/sinks.js'
import type { SpanEnded } from './spans/resolvers/span.js'
import { createSqlAnalyzer, type SqlAnalyzer } from './spans/sql/analyzer.js'
import type { Statement } from './spans/sql/statement.js'
import type { SlowKind } from './store/slow.js'
import { Store } from './store/store.js'

/** Where everything that is measured goes: into the store, past a threshold among what was slow, and into the log. */
export class Recording implements SpanSink, ExecutionSink, CacheSink {
  readonly operations = new RunningOperations(
    () => this.detail.context,
    (name, statements) => {
      this.store.addStatements(name, statements)
    }
  )
  readonly store: Store
  /** What the measuring parts count and time their own work with; see `spans/self-measurement.ts`. */
  readonly meter: SelfMeter
  /** Grows whenever resolvers may have been put into a schema that was executed before. */
  schemaVersion = 0
  contexts: DirectContexts | undefined = undefined
  spanEnded: SpanEnded | undefined = undefined
  slowTraces: SlowTraceExport | undefined = undefined
  /** Monotonic nanoseconds. */
  readonly now: () => number
  protected readonly performanceLog: PerformanceLog
  protected readonly guard: FaultGuard
  protected readonly control: DetailControl
  protected settings: PerformanceConfig
  #sendsSql = false
  #sql: SqlAnalyzer | undefined

  constructor(config: PerformanceConfig, clock: Clock, seriesLimit: number) {
    this.now = clock.monotonic
    this.settings = config
    if (config.enabled) this.#sql = createSqlAnalyzer()
    this.store = new Store({ clock, retentionPeriod: config.retentionPeriod, seriesLimit })
    this.performanceLog = new PerformanceLog(clock, () => this.settings)
    this.guard = new FaultGuard({
      clock,
      report: (message, error) => {
        this.performanceLog.logger?.error({ err: error }, `PERFORMANCE: ${message}`)
        return this.performanceLog.logger !== undefined
      }
    })
    this.meter = new SelfMeter(clock)
    this.control = new DetailControl(this.meter, clock.monotonic(), (level, fields, message) => {
      this.performanceLog.say(level, fields, message)
    })
  }

  /** Where measuring was off at first it is made when asked for: its parser is much to load for nothing. */
  get sql(): SqlAnalyzer {
    return (this.#sql ??= createSqlAnalyzer())
  }

  /** How much is measured now; another object once that changes. Cheap to ask for each operation. */
  get detail(): DetailLevel {
    return this.control.detail
  }

  get sendsSql(): boolean {
    return this.#sendsSql
  }

  get maxResolverSpans(): number {
    return this.settings.maxResolverSpans
  }

  get slowTracesPerMinute(): number {
    return this.settings.slowTracesPerMinute
  }

  get loggedFrom(): number {
    const { logAllMetrics, slowResolverThreshold } = this.settings
    return logAllMetrics ? 0 : slowResolverThreshold * 1e9
  }

  get isEnabled(): boolean {
    return this.settings.enabled
  }

  accepts(): boolean {
    return this.settings.enabled && this.guard.open()
  }

  /** From now on queries may be sent, so that resolver calls need contexts. */
  foundSqlClient(): void {
    this.#sendsSql = true
  }

  callWriter(name: string): CallWriter {
    return this.store.callWriter(name)
  }

  /** What has to be done for a call that took `loggedFrom` or more, besides what the call's writer does for every one. */
  log(name: string, duration: number, failed: boolean, traceId: TraceId): void {
    const measurement = { duration, failed, argsCount: null, traceId }
    if (duration >= this.settings.slowResolverThreshold * 1e9) this.#slow('RESOLVER', name, null, measurement)
    this.performanceLog.resolver(name, measurement)
  }

  /** Counts a call that was not timed, for `detail.sampleEvery` is above 1. */
  counted(name: string, failed: boolean, statements: number): void {
    this.store.countResolver(name, failed, statements)
  }

  batch(name: string, size: number, nanoseconds: number, failed: boolean): void {
    this.store.recordBatch(name, size, { duration: nanoseconds, failed, argsCount: null, traceId: null })
  }

  query(statement: Statement, measurement: QueryMeasurement): void {
    this.#sendsSql = true
    this.store.recordQuery(statement, measurement)
    const isSlow = measurement.duration >= this.settings.slowQueryThreshold * 1e9
    if (isSlow) this.#slow('QUERY', statement.name, statement.text, measurement)
    this.performanceLog.query(statement, measurement)
  }

  operationWriter(name: string, type: string): OperationWriter {
    return this.store.operationWriter(name, { type })
  }

  executed(execution: Execution, endedAt: number, failed: boolean): void {
    const { facts, statements, trace, kept, duration } = execution
    if (facts.isOwn) return
    const isSlow = duration >= this.settings.slowOperationThreshold * 1e9
    // First, since what is exported does not depend on whether it can be recorded.
    if (kept !== undefined) {
      const isWanted = failed || isSlow || trace.hasSlowPart
      this.slowTraces?.ended(execution, isWanted ? { endedAt, failed } : undefined)
    }
    facts.writer.write(endedAt, duration, failed, trace, statements)
    if (!isSlow && !this.settings.logAllMetrics) return
    const measurement = { duration, failed, argsCount: null, traceId: trace }
    if (isSlow) this.#slow('OPERATION', facts.seriesName, facts.source, measurement)
    this.performanceLog.operation(facts.type, facts.seriesName, measurement)
  }

  operation(type: string, name: string, measurement: Measurement, statements: number): void {
    this.store.recordOperation(name, { type }, measurement, statements)
    const isSlow = measurement.duration >= this.settings.slowOperationThreshold * 1e9
    if (isSlow) this.#slow('OPERATION', name, null, measurement)
    this.performanceLog.operation(type, name, measurement)
  }

  cached(outcome: CacheOutcome, name: string, duration: number): void {
    const measurement = { duration, failed: false, argsCount: null, traceId: null }
    this.store.recordCache(outcome, name, measurement)
    this.performanceLog.cache(outcome, name, measurement)
  }

  /** `nanoseconds` that somebody waited for a connection of `pool`. Never throws. */
  poolWaited(pool: string, nanoseconds: number): void {
    if (!this.accepts()) return
    try {
      this.store.recordPoolWait(pool, nanoseconds)
    } catch (error) {
      this.caught(error)
    }
  }

  succeeded(): void {
    this.guard.succeeded()
  }

  refused(error: Error): void {
    this.guard.refused(error)
  }

  caught(error: unknown): void {
    this.guard.caught(error)
  }

  /** Takes note of something that was not measured; while measuring is off on purpose, nothing is missing. */
  lost(): void {
    if (this.settings.enabled) this.meter.dropped += 1
  }

  #slow(kind: SlowKind, name: string, text: string | null, measurement: Measurement): void {
    const { traceId } = measurement
    if (typeof traceId === 'object' && traceId !== null) traceId.hasSlowPart = true
    this.store.slow.add(kind, name, text, this.now(), measurement)
  }
}
