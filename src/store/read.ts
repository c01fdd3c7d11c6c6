import type { PerformanceConfig } from '../config.js'
import { OVERFLOW } from './dimension.js'
import { SeriesReader } from './series-reader.js'
import type { SlowCall } from './slow.js'
import type {
  BatchSnapshot,
  NamedCacheSnapshot,
  OperationSnapshot,
  QuerySnapshot,
  ResolverSnapshot,
  SnapshotOptions,
  StatementSnapshot,
  StoreSnapshot,
  TimeSummary
} from './snapshot.js'
import { readStatement } from './statement-sums.js'
import type { Store } from './store.js'
import { cacheOf, nothing } from './summary.js'
import { total } from './sums.js'

const SECOND = 1e9

/** How long callers waited for connections: of all pools, and by the row that a pool is in. */
export interface PoolWaits {
  readonly all: TimeSummary
  readonly byName: ReadonlyMap<string | undefined, TimeSummary>
}

/** `rowOf` tells in which row the pools of a name are, without a name those of too many; none where they have ended. */
export function readPoolWaits(store: Store, rowOf: (name: string | undefined) => string | undefined): PoolWaits {
  const reader = new SeriesReader(store, {}, undefined)
  return { all: reader.timesOfAll('poolWaits'), byName: reader.timesByName('poolWaits', rowOf) }
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
  const reader = new SeriesReader(store, options, earlier)
  const wanted = (part: NonNullable<SnapshotOptions['include']>[number]): boolean =>
    options.include?.includes(part) ?? true
  return {
    resolvers: wanted('resolvers') ? resolversIn(reader) : [],
    queries: wanted('queries') ? queriesIn(reader) : [],
    statements: wanted('statements') ? statementsIn(reader, options) : [],
    operations: wanted('operations') ? operationsIn(reader) : [],
    cache: wanted('cache') ? cachesIn(reader) : { ...cacheOf(nothing, nothing), byName: [] },
    slow: slowIn(store, options, reader.since),
    config
  }
}

function resolversIn(reader: SeriesReader): ResolverSnapshot[] {
  const batches = batchesIn(reader)
  return reader.rows('resolvers', (_, sums, name) => ({
    sqlCount: total(sums, ({ statements }) => statements),
    sqlTime: total(sums, ({ sqlTime }) => sqlTime) / SECOND,
    selfTime: total(sums, ({ selfTime }) => selfTime) / SECOND,
    batches: batches.get(name) ?? null
  }))
}

function batchesIn(reader: SeriesReader): Map<string, BatchSnapshot> {
  const rows = reader.rows('batches', (_, sums) => ({ size: reader.spread(sums) }))
  return new Map(rows.map(row => [row.name, row]))
}

function queriesIn(reader: SeriesReader): QuerySnapshot[] {
  return reader.rows('queries', ({ operation, table }) => ({ queryType: operation, table }))
}

function statementsIn(reader: SeriesReader, { fingerprint: wanted }: SnapshotOptions): StatementSnapshot[] {
  return reader.rows(
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

function operationsIn(reader: SeriesReader): OperationSnapshot[] {
  return reader.rows('operations', ({ type }, sums) => {
    const sqlPerRequest = reader.spread(sums)
    return { operationType: type, queriesPerRequest: sqlPerRequest.avg, sqlPerRequest }
  })
}

function cachesIn(reader: SeriesReader): StoreSnapshot['cache'] {
  const hits = reader.timesByName('cacheHits')
  const misses = reader.timesByName('cacheMisses')
  const names = [...new Set([...hits.keys(), ...misses.keys()])]
  const byName: NamedCacheSnapshot[] = names.map(name => ({
    name: name ?? OVERFLOW,
    ...cacheOf(hits.get(name) ?? nothing, misses.get(name) ?? nothing)
  }))
  return { ...cacheOf(reader.timesOfAll('cacheHits'), reader.timesOfAll('cacheMisses')), byName }
}

function slowIn(store: Store, { slow }: SnapshotOptions, since: number): readonly SlowCall[] {
  if (slow === undefined || slow === 0) return []
  return store.slow.list(slow, since, at => store.wallTimeOf(at))
}
