import type { Dimension } from './dimension.js'
import { Merger, type Buckets } from './quantiles.js'
import type { OperationLabels, QueryLabels, StatementLabels, Store } from './store.js'
import type { StatementSums } from './statement-sums.js'
import type { CountSums, NoSums, ResolverSums, Sums } from './sums.js'

/** The dimensions of the store and what labels the series of each have. */
export interface KindLabels {
  readonly resolvers: null
  readonly queries: QueryLabels
  readonly statements: StatementLabels
  readonly operations: OperationLabels
  readonly batches: null
  readonly cacheHits: null
  readonly cacheMisses: null
  readonly poolWaits: null
}

export type Kind = keyof KindLabels

/** What the series of each dimension add up besides their times. */
export interface KindSums {
  readonly resolvers: ResolverSums
  readonly queries: NoSums
  readonly statements: StatementSums
  readonly operations: CountSums
  readonly batches: CountSums
  readonly cacheHits: NoSums
  readonly cacheMisses: NoSums
  readonly poolWaits: NoSums
}

export const KINDS: readonly Kind[] = [
  'resolvers',
  'queries',
  'statements',
  'operations',
  'batches',
  'cacheHits',
  'cacheMisses',
  'poolWaits'
]

/**
 * What a series has counted since it began, whatever the retention: it only grows. A series that was forgotten and
 * comes back is another one with a later start.
 *
 * Calls that were not timed, because measuring would have cost too much, count with the next timed one of their time
 * slot; until then, and where none follows, they are in no bucket, though their errors are in `errors`.
 */
export interface SeriesTotals<Of extends Kind = Kind> extends Buckets {
  readonly kind: Of
  readonly name: string
  readonly labels: KindLabels[Of]
  /** Whether it is that of what came after the series limit; its name alone does not tell. */
  readonly isOverflow: boolean
  /** The same object for as long as the series lives. */
  readonly series: object
  /** Monotonic nanoseconds of the moment from which on it counts. */
  readonly start: number
  /** And up to which it did. */
  readonly end: number
  readonly count: number
  /** Nanoseconds, as are `min`, Infinity where nothing was timed, and `max`. */
  readonly sum: number
  readonly min: number
  readonly max: number
  /** How many took no time at all, which no bucket holds. */
  readonly zeroCount: number
  readonly errors: number
}

/** The totals of every series of one kind, each as of when it is asked for: there may be other work in between. */
export function* readTotals<Of extends Kind>(store: Store, kind: Of): Generator<SeriesTotals<Of>> {
  const merger = new Merger()
  const dimension = dimensionOf(store, kind)
  for (const series of dimension) {
    const end = store.now()
    merger.clear()
    const errors = series.readLifetime(store.window, end, merger)
    const { count, sum, min, max, zeroCount } = merger
    const { name, labels, start } = series
    const isOverflow = dimension.isOverflow(series)
    yield {
      kind,
      name,
      labels,
      isOverflow,
      series,
      start,
      end,
      count,
      sum,
      min,
      max,
      zeroCount,
      errors,
      ...merger.buckets()
    }
  }
}

/** What a series adds up besides its times plays no part here. */
function dimensionOf<Of extends Kind>(store: Store, kind: Of): Dimension<KindLabels[Of], Sums<never>> {
  return store[kind] as unknown as Dimension<KindLabels[Of], Sums<never>>
}
