import type { PerformanceConfig } from '../config.js'
import type { Clock } from '../lib/clock.js'
import type { Measurement } from '../spans/measurement.js'
import { Dimension } from './dimension.js'
import type { Series } from './series.js'
import { epochAt, windowFor, type Window } from './window.js'

export interface StoreOptions {
  readonly clock: Clock
  /** Seconds; 0 keeps everything. */
  readonly retentionPeriod: PerformanceConfig['retentionPeriod']
  /** Distinct series a dimension, the overflow series not counted. */
  readonly seriesLimit?: number
}

export interface QueryLabels {
  readonly operation: string
  readonly table: string | null
}

export interface OperationLabels {
  /** `query`, `mutation` or `subscription`. */
  readonly type: string
}

const CLOCK_TOLERANCE = 1000

/** What happened, remembered in bounded memory: one dimension a kind of thing, one series a name, one sketch a slot. */
export class Store {
  readonly clock: Clock
  readonly resolvers: Dimension<null>
  readonly queries: Dimension<QueryLabels>
  readonly operations: Dimension<OperationLabels>
  readonly cacheHits: Dimension<null>
  readonly cacheMisses: Dimension<null>
  #window: Window
  #sweptAt = -Infinity
  /** Milliseconds between the monotonic and the wall clock. */
  #wallOffset = NaN

  constructor({ clock, retentionPeriod, seriesLimit = 2000 }: StoreOptions) {
    this.clock = clock
    this.#window = windowFor(retentionPeriod)
    this.resolvers = new Dimension(seriesLimit, null)
    this.queries = new Dimension<QueryLabels>(seriesLimit, { operation: '(other)', table: null })
    this.operations = new Dimension<OperationLabels>(seriesLimit, { type: '(other)' })
    this.cacheHits = new Dimension(seriesLimit, null)
    this.cacheMisses = new Dimension(seriesLimit, null)
  }

  get window(): Window {
    return this.#window
  }

  /** `name` is `Type.field`. */
  recordResolver(name: string, measurement: Measurement): void {
    this.resolvers.get(name, name, null).record(this.#window, this.clock.monotonic(), measurement)
  }

  /** `name` is the operation and the table: `SELECT issues`. */
  recordQuery(name: string, labels: QueryLabels, measurement: Measurement): void {
    this.queries.get(name, name, labels).record(this.#window, this.clock.monotonic(), measurement)
  }

  /** `statements` is how many SQL statements the operation sent. */
  recordOperation(name: string, labels: OperationLabels, measurement: Measurement, statements: number): void {
    const series = this.operations.get(`${labels.type} ${name}`, name, labels)
    series.record(this.#window, this.clock.monotonic(), measurement, statements)
  }

  recordCache(outcome: 'hit' | 'miss', name: string, measurement: Measurement): void {
    const dimension = outcome === 'hit' ? this.cacheHits : this.cacheMisses
    dimension.get(name, name, null).record(this.#window, this.clock.monotonic(), measurement)
  }

  /**
   * The wall time, in milliseconds since 1970, of a monotonic time. The two clocks are compared anew only when they have
   * come a second apart, so that a time once shown does not tremble.
   */
  wallTimeOf(at: number): number {
    const offset = this.clock.wall() - this.clock.monotonic() / 1e6
    if (!(Math.abs(offset - this.#wallOffset) < CLOCK_TOLERANCE)) this.#wallOffset = offset
    return at / 1e6 + this.#wallOffset
  }

  /** Takes another retention; what is still inside it is kept. */
  setRetention(seconds: number): void {
    const from = this.#window
    const to = windowFor(seconds)
    const now = this.clock.monotonic()
    this.#each(dimension => {
      for (const series of dimension) series.rewindow(from, to, now)
    })
    this.#window = to
    this.#sweptAt = -Infinity
    this.sweep()
  }

  /**
   * Frees the series that hold nothing young enough to be reported and sums up the closed slots of the others, so that a
   * read is quick. Called off the request path; works once a slot.
   */
  sweep(): void {
    const now = this.clock.monotonic()
    const epoch = epochAt(this.#window, now)
    if (epoch === this.#sweptAt) return
    this.#sweptAt = epoch
    const isExpired = (series: Series<unknown>): boolean => series.isExpired(this.#window, now)
    this.#each(dimension => {
      dimension.sweep(isExpired)
      for (const series of dimension) series.settle(this.#window, now)
    })
  }

  #each(visit: (dimension: Dimension<unknown>) => void): void {
    for (const dimension of [this.resolvers, this.queries, this.operations, this.cacheHits, this.cacheMisses]) {
      visit(dimension)
    }
  }
}
