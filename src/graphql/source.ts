import { PerformanceError } from '../errors.js'
import { systemClock } from '../lib/clock.js'
import type { HistoryReader, SeriesChoice, TimelinePoint } from '../store/history.js'
import { snapshotOf } from '../store/merged.js'
import type { SnapshotOptions, StoreSnapshot } from '../store/snapshot.js'
import type { Kind } from '../store/totals.js'
import { checkedRange, type CheckedRange, type RangeArguments } from './range.js'
import type { MetricsReader } from './resolvers.js'

export interface ScopeArguments extends RangeArguments {
  readonly scope?: 'INSTANCE' | 'FLEET' | null
}

/** What the fields of `_performanceMetrics` read: this process, or what is kept of it or of all instances. */
export interface MetricsSource {
  snapshot(options: SnapshotOptions): StoreSnapshot | Promise<StoreSnapshot>
  timeline(choice: Pick<SeriesChoice, 'kinds' | 'name'>): Promise<Timeline>
  /** Whether it is this process as it is now. */
  readonly isLive: boolean
}

export interface Timeline {
  readonly range: CheckedRange
  readonly points: readonly TimelinePoint[]
}

const kindsOf: Readonly<Record<string, readonly Kind[]>> = {
  resolvers: ['resolvers', 'batches'],
  queries: ['queries'],
  statements: ['statements'],
  operations: ['operations'],
  cache: ['cacheHits', 'cacheMisses']
}

/**
 * @throws PerformanceError MPERF_HISTORY_OFF where history is needed, MPERF_ARGUMENT_INVALID for a range that cannot be
 * answered
 */
export function sourceOf(reader: MetricsReader, args: ScopeArguments): MetricsSource {
  const isFleet = args.scope === 'FLEET'
  const isRanged = isFleet || isGiven(args.from) || isGiven(args.to)
  const ranged = (): MetricsSource => keptSource(reader, args, isFleet)
  if (isRanged) return ranged()
  return { snapshot: options => reader.snapshot(options), timeline: choice => ranged().timeline(choice), isLive: true }
}

/** @throws PerformanceError MPERF_HISTORY_OFF */
export function historyReader(reader: MetricsReader, asked: string): HistoryReader {
  const { history } = reader
  if (history === undefined) throw new PerformanceError('MPERF_HISTORY_OFF', asked)
  return history.reader
}

/** What may be lacking is the database, and its errors may quote values. */
export async function fromHistory<Result>(reader: MetricsReader, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof PerformanceError && error.code === 'MPERF_ARGUMENT_INVALID') throw error
    throw new PerformanceError('MPERF_HISTORY_UNAVAILABLE', reader.history?.problemOf(error) ?? 'it is off')
  }
}

function keptSource(reader: MetricsReader, args: ScopeArguments, isFleet: boolean): MetricsSource {
  const history = historyReader(reader, isFleet ? 'scope FLEET' : 'a range')
  const tiers = isFleet ? history.tiers : history.ownTiers
  const longest = Math.max(...tiers.map(({ retention }) => retention))
  const { retentionPeriod } = reader.config
  const span = retentionPeriod === 0 ? longest : Math.min(retentionPeriod, longest)
  const range = checkedRange(args, tiers, history.now(), span)
  const whose = isFleet ? {} : { instance: history.instance }
  return {
    isLive: false,
    snapshot: options =>
      fromHistory(reader, async () => {
        const kinds = (options.include ?? []).flatMap(part => kindsOf[part] ?? [])
        const name = options.name === undefined ? {} : { name: options.name }
        const rollups = await history.rollups({ kinds, ...name, ...whose }, range)
        return snapshotOf(rollups, systemClock, reader.config, options)
      }),
    timeline: choice =>
      fromHistory(reader, async () => ({
        range,
        points: await history.timeline({ ...choice, ...whose }, range, range.step)
      }))
  }
}

function isGiven(text: string | null | undefined): boolean {
  return text !== null && text !== undefined
}
