import type { PerformanceConfig } from '../config.js'
import { OVERFLOW, type Dimension } from './dimension.js'
import { Merger } from './quantiles.js'
import type { ReadTotals, Series } from './series.js'
import type {
  BatchSnapshot,
  CountSummary,
  NamedCacheSnapshot,
  OperationSnapshot,
  QuerySnapshot,
  ResolverSnapshot,
  SeriesSnapshot,
  SnapshotOptions,
  StatementSnapshot,
  StoreSnapshot,
  TimeSummary
} from './snapshot.js'
import { readStatement } from './statement-sums.js'
import type { SlowCall } from './slow.js'
import type { Store } from './store.js'
import { cacheOf, countsIn, nothing, timesIn } from './summary.js'
import { total, type CountSums, type NoSums, type Sums } from './sums.js'
import { epochAt, oldestEpoch, type Window } from './window.js'

const SECOND = 1e9

type Totals = Pick<ReadTotals<NoSums>, 'errors' | 'untimed'>

/** Everything the store reports now, or the part that `options` ask for. */
export function readSnapshot(store: Store, config: PerformanceConfig, options: SnapshotOptions): StoreSnapshot {
  const reader = new Reader(store, options)
  const wanted = (part: NonNullable<SnapshotOptions['include']>[number]): boolean =>
    options.include?.includes(part) ?? true
  return {
    resolvers: wanted('resolvers') ? reader.resolvers() : [],
    queries: wanted('queries') ? reader.queries() : [],
    statements: wanted('statements') ? reader.statements() : [],
    operations: wanted('operations') ? reader.operations() : [],
    cache: wanted('cache') ? reader.cache() : { ...cacheOf(nothing, nothing), byName: [] },
    slow: reader.slow(),
    config
  }
}

class Reader {
  readonly #store: Store
  readonly #options: SnapshotOptions
  readonly #merger = new Merger()
  readonly #window: Window
  readonly #now: number
  /** Monotonic nanoseconds at which the oldest reported slot begins. */
  readonly #since: number

  constructor(store: Store, options: SnapshotOptions) {
    this.#store = store
    this.#options = options
    this.#window = store.window
    this.#now = store.now()
    this.#since = oldestEpoch(this.#window, epochAt(this.#window, this.#now)) * this.#window.width - 1
  }

  resolvers(): ResolverSnapshot[] {
    const batches = this.#batches()
    return this.#series(this.#store.resolvers, (_, sums, name) => ({
      sqlCount: total(sums, ({ statements }) => statements),
      sqlTime: total(sums, ({ sqlTime }) => sqlTime) / SECOND,
      selfTime: total(sums, ({ selfTime }) => selfTime) / SECOND,
      batches: batches.get(name) ?? null
    }))
  }

  #batches(): Map<string, BatchSnapshot> {
    const rows = this.#series(this.#store.batches, (_, sums) => ({ size: this.#spread(sums) }))
    return new Map(rows.map(row => [row.name, row]))
  }

  queries(): QuerySnapshot[] {
    return this.#series(this.#store.queries, ({ operation, table }) => ({ queryType: operation, table }))
  }

  statements(): StatementSnapshot[] {
    const { fingerprint: wanted } = this.#options
    return this.#series(
      this.#store.statements,
      ({ operation, table, fingerprint, text }, sums) => ({
        fingerprint,
        text,
        queryType: operation,
        table,
        ...readStatement(sums)
      }),
      ({ fingerprint }) => wanted === undefined || wanted === fingerprint
    )
  }

  operations(): OperationSnapshot[] {
    return this.#series(this.#store.operations, ({ type }, sums) => {
      const sqlPerRequest = this.#spread(sums)
      return { operationType: type, queriesPerRequest: sqlPerRequest.avg, sqlPerRequest }
    })
  }

  cache(): StoreSnapshot['cache'] {
    const { cacheHits, cacheMisses } = this.#store
    const hits = this.#timesByName(cacheHits)
    const misses = this.#timesByName(cacheMisses)
    const names = [...new Set([...hits.keys(), ...misses.keys()])]
    const byName: NamedCacheSnapshot[] = names.map(name => ({
      name: name ?? OVERFLOW,
      ...cacheOf(hits.get(name) ?? nothing, misses.get(name) ?? nothing)
    }))
    return { ...cacheOf(this.#timesOfAll(cacheHits), this.#timesOfAll(cacheMisses)), byName }
  }

  slow(): readonly SlowCall[] {
    const { slow } = this.#options
    if (slow === undefined || slow === 0) return []
    return this.#store.slow.list(slow, this.#since, at => this.#store.wallTimeOf(at))
  }

  /** A row for each series that has the wanted name and anything to tell. */
  #series<Labels, Own extends Sums<Own>, More extends object>(
    dimension: Dimension<Labels, Own>,
    moreOf: (labels: Labels, sums: readonly Own[], name: string) => More,
    isWanted: (labels: Labels) => boolean = () => true
  ): (SeriesSnapshot & More)[] {
    const rows: (SeriesSnapshot & More)[] = []
    for (const series of dimension) {
      if (!this.#hasName(series.name) || !isWanted(series.labels)) continue
      this.#merger.clear()
      const totals = series.read(this.#window, this.#now, this.#merger)
      if (this.#merger.count + totals.untimed === 0) continue
      // In this order: what follows may use the merger again.
      const summary = this.#summary(series, totals)
      rows.push(Object.assign(summary, moreOf(series.labels, totals.sums, series.name)))
    }
    return rows
  }

  #spread(sums: readonly CountSums[]): CountSummary {
    this.#merger.clear()
    for (const { counts } of sums) this.#merger.add(counts)
    return countsIn(this.#merger)
  }

  #hasName(name: string): boolean {
    return this.#options.name === undefined || this.#options.name === name
  }

  #summary({ name, recent }: Pick<Series<unknown, NoSums>, 'name' | 'recent'>, totals: Totals): SeriesSnapshot {
    const toWall = (at: number): number => this.#store.wallTimeOf(at)
    const listed = this.#options.recent ?? 0
    const calls = recent.list(Math.max(1, listed), this.#since, toWall)
    return {
      name,
      errorCount: totals.errors,
      ...timesIn(this.#merger, totals.untimed),
      lastExecutionTime: calls[0]?.executionTime ?? 0,
      lastExecution: calls[0]?.timestamp ?? null,
      recent: calls.slice(0, listed)
    }
  }

  /** The overflow series has no name here: a cache may be called as it is. */
  #timesByName(dimension: Dimension<null, NoSums>): Map<string | undefined, TimeSummary> {
    const times = new Map<string | undefined, TimeSummary>()
    for (const series of dimension) {
      if (!this.#hasName(series.name)) continue
      this.#merger.clear()
      series.read(this.#window, this.#now, this.#merger)
      if (this.#merger.count === 0) continue
      times.set(dimension.isOverflow(series) ? undefined : series.name, timesIn(this.#merger))
    }
    return times
  }

  #timesOfAll(dimension: Dimension<null, NoSums>): TimeSummary {
    this.#merger.clear()
    for (const series of dimension) {
      if (this.#hasName(series.name)) series.read(this.#window, this.#now, this.#merger)
    }
    return timesIn(this.#merger)
  }
}
