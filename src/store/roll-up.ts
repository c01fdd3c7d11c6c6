import { CallerAllowance } from './callers.js'
import type { Dimension } from './dimension.js'
import type { SeriesIdentity } from './identity.js'
import type { Rollup } from './rollup.js'
import type { Store } from './store.js'
import { StatementSums } from './statement-sums.js'
import { CountSums, NoSums, ResolverSums, type Sums } from './sums.js'
import { KINDS, type Kind, type KindLabels, type KindSums } from './totals.js'

/** The newest call of a series. */
export interface LastCall {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Nanoseconds. */
  readonly duration: number
}

/** What came to one series, and which one it is. */
export interface SeriesRollup<Of extends Kind = Kind> {
  readonly identity: SeriesIdentity<Of>
  readonly rollup: Rollup<KindSums[Of]>
  readonly last: LastCall | null
}

/** A dimension of which nothing is known but that its sums can be added. */
type SomeDimension = Dimension<KindLabels[Kind], SomeSums>
type SomeSums = Sums<SomeSums>

/** From now on nothing is forgotten before `rollUp` has told it. */
export function startRollingUp(store: Store): void {
  for (const kind of KINDS) dimensionOf(store, kind).startRollingUp()
}

/** From now on what leaves the window is forgotten again. */
export function stopRollingUp(store: Store): void {
  for (const kind of KINDS) dimensionOf(store, kind).stopRollingUp()
}

/** What has come to each series since it was asked last; one step a series, so that other work may come in between. */
export function* rollUp(store: Store): Generator<SeriesRollup | undefined> {
  for (const kind of KINDS) {
    const dimension = dimensionOf(store, kind)
    for (const series of dimension) {
      const rollup = series.rollUp(store.window, store.now())
      if (rollup === undefined) {
        yield undefined
        continue
      }
      const { name, labels } = series
      const identity = { kind, name, labels, isOverflow: dimension.isOverflow(series) }
      const { at, duration } = series.recent.newest
      const last = at === -Infinity ? null : { at: store.wallTimeOf(at), duration }
      yield { identity, rollup, last } as unknown as SeriesRollup
    }
  }
}

/** Adds what was measured elsewhere around `at`, in monotonic nanoseconds; `key` is that of its series. */
export function restore(store: Store, key: string, { identity, rollup, last }: SeriesRollup, at: number): void {
  const { kind, name, labels, isOverflow } = identity
  const dimension = dimensionOf(store, kind)
  const series = isOverflow ? dimension.overflow : dimension.get(key, name, labels)
  series.restore(store.window, at, store.now(), rollup)
  if (last !== null && store.monotonicTimeOf(last.at) > series.recent.newest.at)
    series.recent.add(store.monotonicTimeOf(last.at), last.duration, false, null, null)
}

/** What the series of a kind add up besides their times, at zero. */
export function newSums<Of extends Kind>(kind: Of): KindSums[Of] {
  return sumsOfKind[kind]()
}

const sumsOfKind: { readonly [Of in Kind]: () => KindSums[Of] } = {
  resolvers: () => new ResolverSums(),
  queries: () => noSums,
  statements: () => StatementSums.ofStatement(new CallerAllowance()),
  operations: () => new CountSums(),
  batches: () => new CountSums(),
  cacheHits: () => noSums,
  cacheMisses: () => noSums,
  poolWaits: () => noSums
}

const noSums = new NoSums()

function dimensionOf(store: Store, kind: Kind): SomeDimension {
  return store[kind]
}
