import type { PerformanceConfig } from '../config.js'
import { PerformanceError } from '../errors.js'
import { METRICS_FIELD } from '../lib/names.js'
import type { OperationCost } from '../spans/measurement.js'
import type { FieldTiming } from '../spans/running-operation.js'
import type { Path } from '../spans/resolvers/execution.js'
import type { InstanceReport, ProcessHistory } from '../store/history.js'
import type { RecentCall } from '../store/recent.js'
import type {
  CacheSnapshot,
  OperationSnapshot,
  SeriesSnapshot,
  Snapshot,
  SnapshotOptions,
  StatementSnapshot
} from '../store/snapshot.js'
import type { SlowCall } from '../store/slow.js'
import { isAdministrator, type Authorize, type CallerContext } from './access.js'
import {
  checkedCallers,
  checkedLimit,
  checkedRecent,
  checkedSelection,
  checkedSlow,
  ordered,
  type SelectionArguments
} from './selection.js'
import { fromHistory, historyReader, sourceOf, type MetricsSource, type ScopeArguments } from './source.js'
import { historyOf, type HistoryArguments } from './timeline.js'

/** What the fields read. */
export interface MetricsReader {
  readonly config: PerformanceConfig
  snapshot(options?: SnapshotOptions): Snapshot
  /** The time of the resolver call that returned the object whose field at `path` is being resolved. */
  timingAbove(context: unknown, path: Path): FieldTiming | undefined
  /** What the operation cost that was executed with this context value. */
  costOf(context: unknown): OperationCost | undefined
  /** Undefined where it is off. */
  readonly history: ProcessHistory | undefined
}

export interface FieldsOptions {
  readonly reader: MetricsReader
  readonly authorize: Authorize
  /** Whether `_performance` answers administrators alone. */
  readonly timingForAdministratorsOnly: boolean
}

/** A row of any kind; where rows share a name, these tell them apart. */
type Row = SeriesSnapshot & Partial<Pick<StatementSnapshot, 'fingerprint'> & Pick<OperationSnapshot, 'operationType'>>

/** Where null is given, the default of the schema is not. */
interface LimitArguments {
  readonly limit: number | null
}

type SeriesKind = 'resolvers' | 'queries' | 'statements' | 'operations'
type Resolver = (parent: never, args: never, context: CallerContext, info: { readonly path: Path }) => unknown
export type ResolverMap = Record<string, Record<string, Resolver>>

/** The resolvers of the metrics types, and of the metrics field on `queryType`. */
export function metricsResolvers(queryType: string, { reader, authorize }: FieldsOptions): ResolverMap {
  /** Rows of a range, of whose calls no single one is known. */
  const kept = new WeakSet<Row>()
  const rows = (kind: SeriesKind) => async (source: MetricsSource, args: SelectionArguments) => {
    const snapshot = await source.snapshot({ include: [kind], ...checkedSelection(args) })
    const found = ordered(snapshot[kind] as readonly Row[], args)
    if (!source.isLive) for (const row of found) kept.add(row)
    return found
  }
  const recent = (kind: SeriesKind) => (row: Row, args: LimitArguments) => {
    const limit = checkedRecent(args.limit ?? 10)
    return kept.has(row) ? [] : recentCalls(reader, kind, row, limit)
  }
  return {
    [queryType]: {
      [METRICS_FIELD]: async (_: unknown, args: ScopeArguments, context: CallerContext) => {
        if (!(await isAdministrator(authorize, context))) throw new PerformanceError('MPERF_FORBIDDEN')
        return sourceOf(reader, args)
      }
    },
    PerformanceMetrics: {
      resolvers: rows('resolvers'),
      queries: rows('queries'),
      statements: rows('statements'),
      operations: rows('operations'),
      cache: async (source: MetricsSource) => {
        const { cache } = await source.snapshot({ include: ['cache'] })
        return { ...cacheFields(cache), source }
      },
      history: (source: MetricsSource, args: HistoryArguments) => historyOf(source, args),
      instances: async () => {
        const history = historyReader(reader, 'instances')
        return (await fromHistory(reader, () => history.instances())).map(instanceFields)
      },
      slow: (_: unknown, { limit }: LimitArguments) =>
        reader
          .snapshot({ include: [], slow: checkedSlow(limit ?? 20) })
          .slow.map(call => slowFields(call, reader.config.traceUrl)),
      pool: () => reader.snapshot({ include: ['pool'] }).pool,
      config: () => reader.config,
      self: () => reader.snapshot({ include: ['self'] }).self
    },
    ResolverMetrics: { recent: recent('resolvers') },
    QueryMetrics: { recent: recent('queries') },
    StatementMetrics: {
      recent: recent('statements'),
      callers: ({ callers }: StatementSnapshot, { limit }: LimitArguments) =>
        callers.slice(0, checkedCallers(limit ?? 10))
    },
    OperationMetrics: { recent: recent('operations') },
    CacheMetrics: {
      byName: async ({ source }: { source: MetricsSource }, args: SelectionArguments) => {
        const { cache } = await source.snapshot({ include: ['cache'], ...checkedSelection(args) })
        const found = cache.byName.slice(0, checkedLimit(args.limit ?? 100))
        return found.map(each => ({ name: each.name, ...cacheFields(each) }))
      }
    }
  }
}

/** The resolver of `_performance`, the same on every type. */
export function timingResolver({ reader, authorize, timingForAdministratorsOnly }: FieldsOptions): Resolver {
  return async (_: unknown, __: unknown, context: CallerContext, { path }): Promise<FieldTiming | null> => {
    // Read before anything is awaited: with spans of another instrumentation, the active one says which field it is.
    const timing = reader.timingAbove(context, path)
    if (timing === undefined || !reader.config.includeInResponse) return null
    return !timingForAdministratorsOnly || (await isAdministrator(authorize, context)) ? timing : null
  }
}

function recentCalls(
  reader: MetricsReader,
  kind: SeriesKind,
  { name, fingerprint, operationType }: Row,
  limit: number
): readonly RecentCall[] {
  const only = fingerprint === undefined ? {} : { fingerprint }
  const found: readonly Row[] = reader.snapshot({ include: [kind], name, ...only, recent: limit })[kind]
  // A query and a mutation may share a name.
  return found.find(row => row.operationType === operationType)?.recent ?? []
}

function instanceFields({ since, lastSeen, ...instance }: InstanceReport): object {
  return { ...instance, since: new Date(since).toISOString(), lastSeen: new Date(lastSeen).toISOString() }
}

function slowFields(call: SlowCall, traceUrl: string): object {
  const { traceId, isExported } = call
  const isLinked = traceUrl !== '' && isExported && traceId !== null
  return { ...call, traceUrl: isLinked ? traceUrl.replaceAll('{traceId}', traceId) : null }
}

function cacheFields({ hits, misses, hitRatio, hitTimes, missTimes }: CacheSnapshot): object {
  return {
    hits,
    misses,
    hitRatio,
    avgHitTime: hitTimes.avgTime,
    avgMissTime: missTimes.avgTime,
    medianHitTime: hitTimes.medianTime,
    medianMissTime: missTimes.medianTime,
    maxHitTime: hitTimes.maxTime,
    maxMissTime: missTimes.maxTime,
    p95HitTime: hitTimes.p95Time,
    p95MissTime: missTimes.p95Time,
    totalHitTime: hitTimes.totalTime,
    totalMissTime: missTimes.totalTime
  }
}
