import type { PerformanceConfig } from '../config.js'
import type { Clock } from '../lib/clock.js'
import type { Measurement, QueryMeasurement } from '../spans/measurement.js'
import type { CallWriter, OperationWriter } from '../spans/resolvers/sinks.js'
import type { Statement } from '../spans/sql/statement.js'
import { CallerAllowance } from './callers.js'
import { Collectors } from './collectors.js'
import { Dimension, OVERFLOW, type AnyDimension, type Labelling } from './dimension.js'
import type { Series } from './series.js'
import { OperationSeriesWriter, ResolverSeriesWriter } from './series-writer.js'
import { SlowCalls } from './slow.js'
import { StatementSums } from './statement-sums.js'
import { CountSums, NoSums, ResolverSums, type Sums } from './sums.js'
import { epochAt, fullAt, widened, windowFor, type Window, type Windows } from './window.js'

export interface StoreOptions {
  readonly clock: Clock
  /** Seconds; 0 keeps everything. */
  readonly retentionPeriod: PerformanceConfig['retentionPeriod']
  /** Distinct series a dimension, the overflow series not counted. */
  readonly seriesLimit?: number
}

export type QueryLabels = Pick<Statement, 'operation' | 'table'>

export type StatementLabels = QueryLabels & Pick<Statement, 'fingerprint' | 'text'>

export interface OperationLabels {
  /** `query`, `mutation` or `subscription`. */
  readonly type: string
}

const unlabelled: Labelling<null> = { overflow: null, keptOf: () => null }

const byOperationAndTable: Labelling<QueryLabels> = {
  overflow: { operation: OVERFLOW, table: null },
  keptOf: ({ operation, table }) => ({ operation, table })
}

const byFingerprint: Labelling<StatementLabels> = {
  overflow: { operation: OVERFLOW, table: null, fingerprint: OVERFLOW, text: OVERFLOW },
  keptOf: ({ operation, table, fingerprint, text }) => ({ operation, table, fingerprint, text })
}

const byType: Labelling<OperationLabels> = { overflow: { type: OVERFLOW }, keptOf: ({ type }) => ({ type }) }

const CLOCK_TOLERANCE = 1000

/** What happened, remembered in bounded memory: one dimension a kind of thing, one series a name, one sketch a slot. */
export class Store {
  readonly clock: Clock
  readonly collectors = new Collectors()
  readonly resolvers: Dimension<null, ResolverSums>
  readonly queries: Dimension<QueryLabels, NoSums>
  readonly statements: Dimension<StatementLabels, StatementSums>
  readonly operations: Dimension<OperationLabels, CountSums>
  readonly batches: Dimension<null, CountSums>
  readonly cacheHits: Dimension<null, NoSums>
  readonly cacheMisses: Dimension<null, NoSums>
  readonly poolWaits: Dimension<null, NoSums>
  readonly slow = new SlowCalls()
  #window: Window
  readonly #windows: Windows = { at: now => this.#windowAt(now) }
  /** Where everything is kept: when it began, and when the window runs out of slots. */
  #origin: number
  #fullAt: number
  #sweeping: Iterator<void> | undefined
  #sweptAt = -Infinity
  /** The newest time that anything was recorded or swept at: monotonic nanoseconds, a second old at most. */
  #newest: number
  /** Milliseconds between the monotonic and the wall clock. */
  #wallOffset = NaN

  constructor({ clock, retentionPeriod, seriesLimit = 2000 }: StoreOptions) {
    this.clock = clock
    this.#window = windowFor(retentionPeriod)
    this.#origin = clock.monotonic()
    this.#newest = this.#origin
    this.#fullAt = fullAt(this.#window, this.#origin)
    const callers = new CallerAllowance()
    const none = new NoSums()
    const without = (): NoSums => none
    const spread = (): CountSums => new CountSums()
    const dimension = <Labels, Own extends Sums<Own>>(
      labelling: Labelling<Labels>,
      sums: () => Own
    ): Dimension<Labels, Own> => new Dimension(seriesLimit, labelling, sums, () => clock.monotonic())
    this.resolvers = dimension(unlabelled, () => new ResolverSums())
    this.queries = dimension(byOperationAndTable, without)
    this.statements = dimension(byFingerprint, () => StatementSums.ofStatement(callers))
    this.operations = dimension(byType, spread)
    this.batches = dimension(unlabelled, spread)
    this.cacheHits = dimension(unlabelled, without)
    this.cacheMisses = dimension(unlabelled, without)
    this.poolWaits = dimension(unlabelled, without)
  }

  get window(): Window {
    return this.#window
  }

  /** The time to read at, in monotonic nanoseconds; nothing is counted for an earlier one from here on. */
  now(): number {
    this.#newest = this.clock.monotonic()
    return this.#newest
  }

  /** Memory that all of it takes, an estimate within about 20%. */
  get bytes(): number {
    const now = this.now()
    return this.#dimensions().reduce((sum, dimension) => sum + dimension.bytes(this.#window, now), 0)
  }

  /** Measurements that went to an overflow series, of any dimension, since the start. */
  get overflowed(): number {
    return this.#dimensions().reduce((sum, { overflowed }) => sum + overflowed, 0)
  }

  /** What records the calls of one resolver, `Type.field`, whose series is looked up once. */
  callWriter(name: string): CallWriter {
    return new ResolverSeriesWriter(this.#windows, this.resolvers, name, name, null)
  }

  /**
   * Counts a call of a resolver that nobody timed. Reading the clock is a good part of what a call costs, so it counts
   * for the newest time known.
   */
  countResolver(name: string, failed: boolean, statements: number): void {
    const now = this.#newest
    const series = this.resolvers.get(name, name, null)
    series.count(this.#windows, now, failed).statements += statements
  }

  /** Counts SQL that a resolver sent after its call was recorded. */
  addStatements(name: string, statements: number): void {
    const now = this.clock.monotonic()
    this.resolvers.get(name, name, null).sums(this.#windows, now).statements += statements
  }

  /** One call of a loader's batch function for `size` objects; `name` is the field's. */
  recordBatch(name: string, size: number, measurement: Measurement): void {
    const now = this.clock.monotonic()
    record(this.batches.get(name, name, null), this.#windows, now, measurement).counts.record(size)
  }

  /** Counts it twice: for its name, `SELECT issues`, and for itself, with its caller. */
  recordQuery(statement: Statement, measurement: QueryMeasurement): void {
    const now = this.clock.monotonic()
    const windows = this.#windows
    record(this.queries.get(statement.name, statement.name, statement), windows, now, measurement)
    // Out first, so that its place is free where there are no more.
    const former = statement.formerly === undefined ? undefined : this.statements.take(statement.formerly)
    const series = this.statements.get(statement.fingerprint, statement.name, statement)
    if (former !== undefined) series.absorb(former, windows.at(now), now)
    record(series, windows, now, measurement).record(measurement)
  }

  /** `statements` is how many SQL statements the operation sent. */
  recordOperation(name: string, labels: OperationLabels, measurement: Measurement, statements: number): void {
    const series = this.operations.get(keyOf(name, labels), name, labels)
    record(series, this.#windows, this.clock.monotonic(), measurement).counts.record(statements)
  }

  /** The same for the executions of one operation, whose series is looked up once. */
  operationWriter(name: string, labels: OperationLabels): OperationWriter {
    return new OperationSeriesWriter(this.#windows, this.operations, keyOf(name, labels), name, labels)
  }

  recordCache(outcome: 'hit' | 'miss', name: string, measurement: Measurement): void {
    const dimension = outcome === 'hit' ? this.cacheHits : this.cacheMisses
    record(dimension.get(name, name, null), this.#windows, this.clock.monotonic(), measurement)
  }

  /** How many nanoseconds a caller waited for a connection of the pool called `name`. */
  recordPoolWait(name: string, duration: number): void {
    this.poolWaits.get(name, name, null).record(this.#windows, this.clock.monotonic(), duration, false, null, null)
  }

  /**
   * The wall time, in milliseconds since 1970, of a monotonic time. The two clocks are compared anew only when they
   * have come a second apart, so that a time once shown does not tremble.
   */
  wallTimeOf(at: number): number {
    const offset = this.clock.wall() - this.clock.monotonic() / 1e6
    if (!(Math.abs(offset - this.#wallOffset) < CLOCK_TOLERANCE)) this.#wallOffset = offset
    return at / 1e6 + this.#wallOffset
  }

  /** The monotonic time of a wall time, the other way round. */
  monotonicTimeOf(wall: number): number {
    return (wall - this.wallTimeOf(0)) * 1e6
  }

  /** Takes another retention; what is still inside it is kept. */
  setRetention(seconds: number): void {
    const now = this.clock.monotonic()
    if (this.#window.retention !== Infinity) this.#origin = now - this.#window.retention - this.#window.width
    this.#change(widened(windowFor(seconds), this.#origin, now), now)
  }

  /**
   * Frees the series that hold nothing young enough to be reported nor anything still to be collected, and sums up the
   * closed slots of the others, so that a read is quick. Called off the request path again and again: it works through
   * all series once a slot, `limit` of them a call.
   */
  sweep(limit = Infinity): void {
    const epoch = epochAt(this.#window, this.now())
    if (this.#sweeping === undefined && epoch !== this.#sweptAt) {
      this.#sweptAt = epoch
      this.#sweeping = this.#sweepAll()
    }
    for (let swept = 0; this.#sweeping !== undefined && swept < limit; swept += 1) {
      if (this.#sweeping.next().done) this.#sweeping = undefined
    }
  }

  *#sweepAll(): Generator<void> {
    for (const dimension of this.#dimensions()) {
      yield* dimension.sweep(series => {
        const now = this.clock.monotonic()
        const isCollected = series.newest < this.collectors.before(now)
        if (isCollected && series.isExpired(this.#window, now)) return 'forget'
        series.settle(this.#window, now)
        return 'keep'
      })
    }
  }

  #windowAt(now: number): Window {
    this.#newest = now
    if (now >= this.#fullAt) this.#change(widened(this.#window, this.#origin, now), now)
    return this.#window
  }

  #change(to: Window, now: number): void {
    for (const dimension of this.#dimensions()) {
      for (const series of dimension) series.rewindow(this.#window, to, now)
    }
    this.#window = to
    this.#fullAt = fullAt(to, this.#origin)
    this.#sweptAt = -Infinity
  }

  #dimensions(): AnyDimension[] {
    const { resolvers, queries, statements, operations, batches, cacheHits, cacheMisses, poolWaits } = this
    return [resolvers, queries, statements, operations, batches, cacheHits, cacheMisses, poolWaits]
  }
}

function record<Labels, Own extends Sums<Own>>(
  series: Series<Labels, Own>,
  windows: Windows,
  now: number,
  { duration, failed, argsCount, traceId }: Measurement
): Own {
  return series.record(windows, now, duration, failed, argsCount, traceId)
}

/** What tells the series of an operation from all others: a query and a mutation may share a name. */
function keyOf(name: string, { type }: OperationLabels): string {
  return `${type} ${name}`
}
