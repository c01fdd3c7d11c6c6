import { setTimeout as delay } from 'node:timers/promises'
import { trackCache } from './cache/cache-calls.js'
import { patchConfig, type ConfigPatch, type PerformanceConfig } from './config.js'
import { PoolGroup } from './database/pool-group.js'
import { poolReport } from './database/pool-report.js'
import { systemClock, type Clock } from './lib/clock.js'
import type { FaultReport } from './lib/fault-guard.js'
import { startTicker } from './lib/ticker.js'
import type { Logger } from './logging/performance-log.js'
import { Recording } from './recording.js'
import { selfReport } from './self/report.js'
import type { ExportReport } from './spans/export/account.js'
import type { OperationCost } from './spans/measurement.js'
import type { FieldTiming } from './spans/running-operation.js'
import { executionOf } from './spans/resolvers/context-values.js'
import type { Path } from './spans/resolvers/execution.js'
import type { Exporting } from './spans/telemetry.js'
import type { ProcessHistory } from './store/history.js'
import { readPoolWaits, readSnapshot } from './store/read.js'
import type { Snapshot, SnapshotOptions } from './store/snapshot.js'
import type { Store } from './store/store.js'
import { nothing } from './store/summary.js'

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
export class Monitor extends Recording {
  /** The pools of the process, and the budget for retries that they share. */
  readonly pools = new PoolGroup((name, nanoseconds) => {
    this.poolWaited(name, nanoseconds)
  })
  /** What is exported of the process; undefined where nothing can be. */
  exporting: Exporting | undefined = undefined
  /** Undefined where it is off. */
  history: ProcessHistory | undefined = undefined
  /** What this process has written history under. */
  readonly boots = new Set<string>()
  /** What was measured under this instance's name before this process, where history is on. */
  earlier: Store | undefined = undefined
  readonly #close: () => void

  constructor(config: PerformanceConfig, { clock = systemClock, seriesLimit = 2000 }: MonitorOptions) {
    super(config, clock, seriesLimit)
    const ticker = startTicker(TICK, () => {
      this.#tick()
    })
    this.#close = () => {
      ticker.stop()
    }
  }

  get config(): PerformanceConfig {
    return this.settings
  }

  /** The monitor's own faults; the application never sees one. */
  get faults(): FaultReport {
    return this.guard.report
  }

  set logger(logger: Logger) {
    this.performanceLog.logger = logger
  }

  /**
   * Changes the configuration while the process runs. Unknown keys, null and undefined are ignored.
   *
   * @throws PerformanceError MPERF_CONFIG_INVALID where a value is of the wrong type or range; nothing is changed then
   */
  configure(patch: ConfigPatch): void {
    const before = this.settings
    this.settings = patchConfig(before, patch)
    const { retentionPeriod } = this.settings
    if (retentionPeriod === before.retentionPeriod) return
    this.store.setRetention(retentionPeriod)
    this.earlier?.setRetention(retentionPeriod)
  }

  /** Plain data about everything inside the retention, or the part that is asked for. */
  snapshot(options: SnapshotOptions = {}): Snapshot {
    const self = selfReport(
      {
        meter: this.meter,
        control: this.control,
        store: this.store,
        faults: this.faults,
        budget: this.settings.overheadBudget,
        exported: this.exporting?.report,
        history: this.history?.report
      },
      options.include?.includes('self') ?? true
    )
    return {
      ...readSnapshot(this.store, this.settings, options, this.earlier),
      self,
      pool: this.#poolSnapshot(options)
    }
  }

  /** Counts a cache hit that took `seconds`. Never throws: what is no duration is dropped and counted. */
  trackCacheHit(seconds: number, name = 'default'): void {
    trackCache(this, 'hit', seconds, name)
  }

  /** Counts a cache miss that took `seconds`, the load included. Never throws. */
  trackCacheMiss(seconds: number, name = 'default'): void {
    trackCache(this, 'miss', seconds, name)
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

  /** Resolvers may have been put into a schema that was executed before. */
  schemaChanged(): void {
    this.schemaVersion += 1
  }

  /** Writes what OpenTelemetry has to say: into the app's log, or to standard error while there is none. */
  readonly diagnosed = (level: 'warn' | 'error', line: string): void => {
    const { logger } = this.performanceLog
    if (logger === undefined) process.stderr.write(`mercurius-performance: OpenTelemetry: ${line}\n`)
    else logger[level]({}, `OpenTelemetry: ${line}`)
  }

  /**
   * Sends spans that still wait for export and writes what the log left out; takes at most two seconds. What cannot be
   * sent in them is counted in the log.
   */
  async flush(): Promise<void> {
    this.performanceLog.flush()
    const { exporting } = this
    if (exporting === undefined) return
    const before = lostIn(exporting.report)
    await Promise.race([exporting.flush().catch(() => undefined), delay(FLUSH_LIMIT, undefined, { ref: false })])
    const unsent = lostIn(exporting.report) + (exporting.report?.waiting ?? 0) - before
    if (unsent > 0) this.performanceLog.say('warn', { unsent }, `PERFORMANCE: ${unsent} spans were not sent`)
  }

  /** Stops the background work; what was measured can still be read. */
  close(): void {
    this.#close()
  }

  #poolSnapshot({ include }: SnapshotOptions): Snapshot['pool'] {
    if (!(include?.includes('pool') ?? true)) return poolReport(new PoolGroup(), nothing, () => nothing)
    const { all, byName } = readPoolWaits(this.store, this.pools.rowOf)
    return poolReport(this.pools, all, name => byName.get(name) ?? nothing)
  }

  /** What fails here must not keep the application from going on. */
  #tick(): void {
    try {
      const began = this.now()
      this.performanceLog.tick()
      this.store.sweep(SWEPT_A_TICK)
      this.earlier?.sweep(SWEPT_A_TICK)
      const ended = this.now()
      this.meter.tick(ended - began)
      this.control.tick(this.settings.overheadBudget, ended)
    } catch (error) {
      this.caught(error)
    }
  }
}

function lostIn(report: ExportReport | undefined): number {
  return report === undefined ? 0 : report.failed + report.dropped
}
