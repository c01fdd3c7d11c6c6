import type { PerformanceConfig } from '../config.js'
import type { Dimension } from './dimension.js'
import { Merger } from './quantiles.js'
import type { ReadTotals, Series } from './series.js'
import type {
  CacheSnapshot,
  NamedCacheSnapshot,
  SeriesSnapshot,
  SnapshotOptions,
  StoreSnapshot,
  TimeSummary
} from './snapshot.js'
import type { Store } from './store.js'
import { epochAt, oldestEpoch, type Window } from './window.js'

const SECOND = 1e9
const QUANTILES = [0.5, 0.9, 0.95, 0.99]

/** Everything the store reports now, or the part that `options` ask for. */
export function readSnapshot(
  store: Store,
  config: PerformanceConfig,
  { include, name, recent = 0 }: SnapshotOptions
): StoreSnapshot {
  const reader = new Reader(store, name, recent)
  const wanted = (part: NonNullable<SnapshotOptions['include']>[number]): boolean => include?.includes(part) ?? true
  return {
    resolvers: wanted('resolvers')
      ? reader.series(store.resolvers, (_, { statements, sqlTime }, { totalTime }) => ({
          sqlCount: statements,
          sqlTime: sqlTime / SECOND,
          selfTime: Math.max(0, totalTime - sqlTime / SECOND)
        }))
      : [],
    queries: wanted('queries')
      ? reader.series(store.queries, ({ operation, table }) => ({ queryType: operation, table }))
      : [],
    operations: wanted('operations')
      ? reader.series(store.operations, ({ type }, { statements }, { count }) => ({
          operationType: type,
          queriesPerRequest: count === 0 ? 0 : statements / count
        }))
      : [],
    cache: wanted('cache') ? reader.cache() : { ...cacheOf(nothing, nothing), byName: [] },
    config
  }
}

class Reader {
  readonly #store: Store
  readonly #name: string | undefined
  readonly #recent: number
  readonly #merger = new Merger()
  readonly #window: Window
  readonly #now: number
  /** Monotonic nanoseconds at which the oldest reported slot begins. */
  readonly #since: number

  constructor(store: Store, name: string | undefined, recent: number) {
    this.#store = store
    this.#name = name
    this.#recent = recent
    this.#window = store.window
    this.#now = store.clock.monotonic()
    this.#since = oldestEpoch(this.#window, epochAt(this.#window, this.#now)) * this.#window.width - 1
  }

  series<Labels, Extra extends object>(
    dimension: Dimension<Labels>,
    extra: (labels: Labels, totals: ReadTotals, times: TimeSummary) => Extra
  ): (SeriesSnapshot & Extra)[] {
    const found: (SeriesSnapshot & Extra)[] = []
    for (const series of dimension) {
      if (this.#name !== undefined && series.name !== this.#name) continue
      this.#merger.clear()
      const totals = series.read(this.#window, this.#now, this.#merger)
      if (this.#merger.count + totals.untimed === 0) continue
      const summary = this.#summary(series, totals)
      found.push(Object.assign(summary, extra(series.labels, totals, summary)))
    }
    return found
  }

  cache(): StoreSnapshot['cache'] {
    const { cacheHits, cacheMisses } = this.#store
    const hits = this.#timesByName(cacheHits)
    const misses = this.#timesByName(cacheMisses)
    const names = [...new Set([...hits.keys(), ...misses.keys()])]
    const byName: NamedCacheSnapshot[] = names.map(name => ({
      name,
      ...cacheOf(hits.get(name) ?? nothing, misses.get(name) ?? nothing)
    }))
    return { ...cacheOf(this.#timesOfAll(cacheHits), this.#timesOfAll(cacheMisses)), byName }
  }

  #summary(series: Series<unknown>, { errors, untimed }: ReadTotals): SeriesSnapshot {
    const toWall = (at: number): number => this.#store.wallTimeOf(at)
    const calls = series.recent.list(Math.max(1, this.#recent), this.#since, toWall)
    return {
      name: series.name,
      errorCount: errors,
      ...timesIn(this.#merger, untimed),
      lastExecutionTime: calls[0]?.executionTime ?? 0,
      lastExecution: calls[0]?.timestamp ?? null,
      recent: calls.slice(0, this.#recent)
    }
  }

  #timesByName(dimension: Dimension<null>): Map<string, TimeSummary> {
    const times = new Map<string, TimeSummary>()
    for (const series of dimension) {
      if (this.#name !== undefined && series.name !== this.#name) continue
      this.#merger.clear()
      series.read(this.#window, this.#now, this.#merger)
      if (this.#merger.count > 0) times.set(series.name, timesIn(this.#merger))
    }
    return times
  }

  #timesOfAll(dimension: Dimension<null>): TimeSummary {
    this.#merger.clear()
    for (const series of dimension) {
      if (this.#name === undefined || series.name === this.#name) series.read(this.#window, this.#now, this.#merger)
    }
    return timesIn(this.#merger)
  }
}

/** What `merger` holds; for `untimed` calls more, the others speak. */
function timesIn(merger: Merger, untimed = 0): TimeSummary {
  const { count, sum } = merger
  const average = count === 0 ? 0 : sum / count
  const [median = 0, p90 = 0, p95 = 0, p99 = 0] = merger.quantiles(QUANTILES)
  return {
    count: count + untimed,
    avgTime: average / SECOND,
    medianTime: median / SECOND,
    minTime: count === 0 ? 0 : merger.min / SECOND,
    maxTime: merger.max / SECOND,
    totalTime: (sum + untimed * average) / SECOND,
    p90Time: p90 / SECOND,
    p95Time: p95 / SECOND,
    p99Time: p99 / SECOND
  }
}

const nothing = timesIn(new Merger())

function cacheOf(hitTimes: TimeSummary, missTimes: TimeSummary): CacheSnapshot {
  const hits = hitTimes.count
  const misses = missTimes.count
  return { hits, misses, hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses), hitTimes, missTimes }
}
