import type { PerformanceConfig } from '../config.js'
import { OVERFLOW, type Dimension } from './dimension.js'
import { identityKey } from './identity.js'
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
import { total, type CountSums, type Sums } from './sums.js'
import type { Kind, KindLabels, KindSums } from './totals.js'
import { epochAt, oldestEpoch } from './window.js'

const SECOND = 1e9

type Totals = Pick<ReadTotals<unknown>, 'errors' | 'untimed'>

/** How long callers waited for connections: of all pools, and by the name of the pool. */
export interface PoolWaits {
  readonly all: TimeSummary
  readonly byName: ReadonlyMap<string | undefined, TimeSummary>
}

export function readPoolWaits(store: Store): PoolWaits {
  return new Reader(store, {}, undefined).poolWaits()
}

/**
 * Everything the store reports now, or the part that `options` ask for; `earlier` is what was measured before this
 * process, if anything is known of it.
 */
export function readSnapshot(
  store: Store,
  config: PerformanceConfig,
  options: SnapshotOptions,
  earlier?: Store
): StoreSnapshot {
  const reader = new Reader(store, options, earlier)
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

/** Sums of which nothing is known but that they can be added. */
type SomeSums = Sums<SomeSums>
type NamedKind = 'cacheHits' | 'cacheMisses' | 'poolWaits'

/** A series of whatever kind and the store that it is in. */
interface SomePart {
  readonly store: Store
  readonly series: Series<KindLabels[Kind], SomeSums>
  readonly isOverflow: boolean
}

class Reader {
  readonly #store: Store
  readonly #earlier: Store | undefined
  readonly #options: SnapshotOptions
  readonly #merger = new Merger()
  readonly #now: number
  /** Monotonic nanoseconds at which the oldest reported slot begins. */
  readonly #since: number

  constructor(store: Store, options: SnapshotOptions, earlier: Store | undefined) {
    this.#store = store
    this.#earlier = earlier
    this.#options = options
    const { window } = store
    this.#now = store.now()
    this.#since = oldestEpoch(window, epochAt(window, this.#now)) * window.width - 1
  }

  resolvers(): ResolverSnapshot[] {
    const batches = this.#batches()
    return this.#series('resolvers', (_, sums, name) => ({
      sqlCount: total(sums, ({ statements }) => statements),
      sqlTime: total(sums, ({ sqlTime }) => sqlTime) / SECOND,
      selfTime: total(sums, ({ selfTime }) => selfTime) / SECOND,
      batches: batches.get(name) ?? null
    }))
  }

  #batches(): Map<string, BatchSnapshot> {
    const rows = this.#series('batches', (_, sums) => ({ size: this.#spread(sums) }))
    return new Map(rows.map(row => [row.name, row]))
  }

  queries(): QuerySnapshot[] {
    return this.#series('queries', ({ operation, table }) => ({ queryType: operation, table }))
  }

  statements(): StatementSnapshot[] {
    const { fingerprint: wanted } = this.#options
    return this.#series(
      'statements',
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
    return this.#series('operations', ({ type }, sums) => {
      const sqlPerRequest = this.#spread(sums)
      return { operationType: type, queriesPerRequest: sqlPerRequest.avg, sqlPerRequest }
    })
  }

  cache(): StoreSnapshot['cache'] {
    const hits = this.#timesByName('cacheHits')
    const misses = this.#timesByName('cacheMisses')
    const names = [...new Set([...hits.keys(), ...misses.keys()])]
    const byName: NamedCacheSnapshot[] = names.map(name => ({
      name: name ?? OVERFLOW,
      ...cacheOf(hits.get(name) ?? nothing, misses.get(name) ?? nothing)
    }))
    return { ...cacheOf(this.#timesOfAll('cacheHits'), this.#timesOfAll('cacheMisses')), byName }
  }

  poolWaits(): PoolWaits {
    return { all: this.#timesOfAll('poolWaits'), byName: this.#timesByName('poolWaits') }
  }

  slow(): readonly SlowCall[] {
    const { slow } = this.#options
    if (slow === undefined || slow === 0) return []
    return this.#store.slow.list(slow, this.#since, at => this.#store.wallTimeOf(at))
  }

  /** A row for each series that has the wanted name and anything to tell. */
  #series<Of extends Kind, More extends object>(
    kind: Of,
    moreOf: (labels: KindLabels[Of], sums: readonly KindSums[Of][], name: string) => More,
    isWanted: (labels: KindLabels[Of]) => boolean = () => true
  ): (SeriesSnapshot & More)[] {
    const rows: (SeriesSnapshot & More)[] = []
    for (const parts of this.#parts(kind)) {
      const { name, labels } = parts[0].series
      if (!this.#hasName(name) || !isWanted(labels as KindLabels[Of])) continue
      const totals = this.#read(parts)
      if (this.#merger.count + totals.untimed === 0) continue
      // In this order: what follows may use the merger again.
      const summary = this.#summary(name, parts, totals)
      rows.push(Object.assign(summary, moreOf(labels as KindLabels[Of], totals.sums as KindSums[Of][], name)))
    }
    return rows
  }

  /** Each series of a kind, with that of the earlier store which is the same. */
  *#parts(kind: Kind): Generator<readonly [SomePart, ...SomePart[]]> {
    const own = seriesOf(this.#store, kind)
    if (this.#earlier === undefined) {
      for (const part of own) yield [part]
      return
    }
    const earlier = new Map(keyed(seriesOf(this.#earlier, kind), kind))
    for (const [key, part] of keyed(own, kind)) {
      const before = earlier.get(key)
      earlier.delete(key)
      yield before === undefined ? [part] : [part, before]
    }
    for (const part of earlier.values()) yield [part]
  }

  /** Leaves the times in the merger. */
  #read(parts: readonly SomePart[]): ReadTotals<SomeSums> {
    this.#merger.clear()
    const found = parts.map(({ store, series }) => series.read(store.window, this.#now, this.#merger))
    const [only, ...others] = found
    // Most often nothing is known from before this process.
    if (only !== undefined && others.length === 0) return only
    return {
      errors: total(found, ({ errors }) => errors),
      untimed: total(found, ({ untimed }) => untimed),
      sums: found.flatMap(({ sums }) => sums)
    }
  }

  #spread(sums: readonly CountSums[]): CountSummary {
    this.#merger.clear()
    for (const { counts } of sums) this.#merger.add(counts)
    return countsIn(this.#merger)
  }

  #hasName(name: string): boolean {
    return this.#options.name === undefined || this.#options.name === name
  }

  #summary(name: string, parts: readonly SomePart[], totals: Totals): SeriesSnapshot {
    const toWall = (at: number): number => this.#store.wallTimeOf(at)
    const listed = this.#options.recent ?? 0
    const lists = parts.map(({ series }) => series.recent.list(Math.max(1, listed), this.#since, toWall))
    const [calls = [], earlier = []] = lists
    const last = calls[0] ?? earlier[0]
    return {
      name,
      errorCount: totals.errors,
      ...timesIn(this.#merger, totals.untimed),
      lastExecutionTime: last?.executionTime ?? 0,
      lastExecution: last?.timestamp ?? null,
      // Of what was measured earlier only the newest calls are known.
      recent: parts[0]?.store === this.#store ? calls.slice(0, listed) : []
    }
  }

  /** The overflow series has no name here: a cache may be called as it is. */
  #timesByName(kind: NamedKind): Map<string | undefined, TimeSummary> {
    const times = new Map<string | undefined, TimeSummary>()
    for (const parts of this.#parts(kind)) {
      const [{ series, isOverflow }] = parts
      if (!this.#hasName(series.name)) continue
      this.#read(parts)
      if (this.#merger.count === 0) continue
      times.set(isOverflow ? undefined : series.name, timesIn(this.#merger))
    }
    return times
  }

  #timesOfAll(kind: NamedKind): TimeSummary {
    this.#merger.clear()
    for (const { store, series } of [...this.#parts(kind)].flat()) {
      if (this.#hasName(series.name)) series.read(store.window, this.#now, this.#merger)
    }
    return timesIn(this.#merger)
  }
}

function* seriesOf(store: Store, kind: Kind): Generator<SomePart> {
  const dimension = store[kind] as unknown as Dimension<KindLabels[Kind], SomeSums>
  for (const series of dimension) yield { store, series, isOverflow: dimension.isOverflow(series) }
}

function* keyed(parts: Iterable<SomePart>, kind: Kind): Generator<[key: string, part: SomePart]> {
  for (const part of parts) {
    const { name, labels } = part.series
    yield [identityKey({ kind, name, labels, isOverflow: part.isOverflow }), part]
  }
}
