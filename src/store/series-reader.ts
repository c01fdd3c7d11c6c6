import { identityKey } from './identity.js'
import type { Dimension } from './dimension.js'
import { Merger } from './quantiles.js'
import type { ReadTotals, Series } from './series.js'
import type { CountSummary, SeriesSnapshot, SnapshotOptions, TimeSummary } from './snapshot.js'
import type { Store } from './store.js'
import { countsIn, timesIn } from './summary.js'
import { total, type CountSums, type Sums } from './sums.js'
import type { Kind, KindLabels, KindSums } from './totals.js'
import { epochAt, oldestEpoch } from './window.js'

type Totals = Pick<ReadTotals<unknown>, 'errors' | 'untimed'>

/** Sums of which nothing is known but that they can be added. */
type SomeSums = Sums<SomeSums>
type NamedKind = 'cacheHits' | 'cacheMisses' | 'poolWaits'

/** A series of whatever kind and the store that it is in. */
interface SomePart {
  readonly store: Store
  readonly series: Series<KindLabels[Kind], SomeSums>
  readonly isOverflow: boolean
}

/**
 * Reads the series of a store, as they were when it was made; and with them those of a store that holds what was measured
 * before this process, if there is one: two series that are the same are read as one.
 */
export class SeriesReader {
  readonly #store: Store
  readonly #earlier: Store | undefined
  readonly #options: Pick<SnapshotOptions, 'name' | 'recent'>
  readonly #merger = new Merger()
  readonly #now: number
  /** Monotonic nanoseconds at which the oldest reported slot begins. */
  readonly since: number

  constructor(store: Store, options: Pick<SnapshotOptions, 'name' | 'recent'>, earlier: Store | undefined) {
    this.#store = store
    this.#earlier = earlier
    this.#options = options
    const { window } = store
    this.#now = store.now()
    this.since = oldestEpoch(window, epochAt(window, this.#now)) * window.width - 1
  }

  /** A row for each series that has the wanted name and anything to tell. */
  rows<Of extends Kind, More extends object>(
    kind: Of,
    moreOf: (labels: KindLabels[Of], sums: readonly KindSums[Of][], name: string) => More,
    isWanted: (labels: KindLabels[Of]) => boolean = () => true
  ): (SeriesSnapshot & More)[] {
    const rows: (SeriesSnapshot & More)[] = []
    for (const parts of this.#parts(kind, isWanted as (labels: KindLabels[Kind]) => boolean)) {
      const { name, labels } = parts[0].series
      if (!this.#hasName(name)) continue
      const totals = this.#read(parts)
      if (this.#merger.count + totals.untimed === 0) continue
      // In this order: what follows may use the merger again.
      const summary = this.#summary(name, parts, totals)
      rows.push(Object.assign(summary, moreOf(labels as KindLabels[Of], totals.sums as KindSums[Of][], name)))
    }
    return rows
  }

  /** How counts are spread that were summed up in several places. */
  spread(sums: readonly CountSums[]): CountSummary {
    this.#merger.clear()
    for (const { counts } of sums) this.#merger.add(counts)
    return countsIn(this.#merger)
  }

  /** By name, or by the row that a name belongs in. The overflow series has no name: a cache may be called as it is. */
  timesByName(
    kind: NamedKind,
    rowOf: (name: string | undefined) => string | undefined = name => name
  ): Map<string | undefined, TimeSummary> {
    const rows = new Map<string | undefined, SomePart[]>()
    for (const parts of this.#parts(kind)) {
      const [{ series, isOverflow }] = parts
      if (!this.#hasName(series.name)) continue
      const row = rowOf(isOverflow ? undefined : series.name)
      const alike = rows.get(row)
      if (alike === undefined) rows.set(row, [...parts])
      else alike.push(...parts)
    }
    const times = new Map<string | undefined, TimeSummary>()
    for (const [row, parts] of rows) {
      this.#read(parts)
      if (this.#merger.count > 0) times.set(row, timesIn(this.#merger))
    }
    return times
  }

  timesOfAll(kind: NamedKind): TimeSummary {
    this.#merger.clear()
    for (const { store, series } of [...this.#parts(kind)].flat()) {
      if (this.#hasName(series.name)) series.read(store.window, this.#now, this.#merger)
    }
    return timesIn(this.#merger)
  }

  /** Each series of a kind that may have the wanted name, with that of the earlier store which is the same. */
  *#parts(
    kind: Kind,
    isWanted: (labels: KindLabels[Kind]) => boolean = () => true
  ): Generator<readonly [SomePart, ...SomePart[]]> {
    // The same statement may have two names: what it was called before the parser knew it, and after.
    const mayHaveName = (name: string): boolean => kind === 'statements' || this.#hasName(name)
    // Before anything is made of them: whoever asks for one series does so for many in turn.
    const isCandidate = ({ series }: SomePart): boolean => isWanted(series.labels) && mayHaveName(series.name)
    const own = seriesOf(this.#store, kind, isCandidate)
    if (this.#earlier === undefined) {
      for (const part of own) yield [part]
      return
    }
    const earlier = new Map(keyed(seriesOf(this.#earlier, kind, isCandidate), kind))
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
    const [only] = found
    // Most often nothing is known from before this process.
    if (only !== undefined && found.length === 1) return only
    return {
      errors: total(found, ({ errors }) => errors),
      untimed: total(found, ({ untimed }) => untimed),
      sums: found.flatMap(({ sums }) => sums)
    }
  }

  #hasName(name: string): boolean {
    return this.#options.name === undefined || this.#options.name === name
  }

  #summary(name: string, parts: readonly SomePart[], totals: Totals): SeriesSnapshot {
    const toWall = (at: number): number => this.#store.wallTimeOf(at)
    const listed = this.#options.recent ?? 0
    const lists = parts.map(({ series }) => series.recent.list(Math.max(1, listed), this.since, toWall))
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
}

function* seriesOf(store: Store, kind: Kind, isCandidate: (part: SomePart) => boolean): Generator<SomePart> {
  const dimension = store[kind] as unknown as Dimension<KindLabels[Kind], SomeSums>
  for (const series of dimension) {
    const part = { store, series, isOverflow: dimension.isOverflow(series) }
    if (isCandidate(part)) yield part
  }
}

function* keyed(parts: Iterable<SomePart>, kind: Kind): Generator<[key: string, part: SomePart]> {
  for (const part of parts) {
    const { name, labels } = part.series
    yield [identityKey({ kind, name, labels, isOverflow: part.isOverflow }), part]
  }
}
