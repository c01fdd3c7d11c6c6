import { PerformanceError } from '../errors.js'
import type { TimelinePoint } from '../store/history.js'
import { Merger } from '../store/quantiles.js'
import { timesIn } from '../store/summary.js'
import type { Kind } from '../store/totals.js'
import { checkedSelection } from './selection.js'
import type { MetricsSource, Timeline } from './source.js'

export interface HistoryArguments {
  readonly kind: HistoryKind
  readonly name: string
  /** Of a statement; others may share its name. */
  readonly fingerprint?: string | null
}

export type HistoryKind = keyof typeof kinds

const kinds = {
  RESOLVER: 'resolvers',
  BATCH: 'batches',
  QUERY: 'queries',
  STATEMENT: 'statements',
  OPERATION: 'operations',
  CACHE_HIT: 'cacheHits',
  CACHE_MISS: 'cacheMisses',
  POOL_WAIT: 'poolWaits'
} as const satisfies Record<string, Kind>

/** A step of a timeline; where nothing was measured, times are null. Seconds. */
export interface HistoryPoint {
  /** When it begins, ISO 8601. */
  readonly timestamp: string
  readonly count: number
  readonly errorCount: number
  readonly avgTime: number | null
  readonly medianTime: number | null
  readonly minTime: number | null
  readonly maxTime: number | null
  readonly p90Time: number | null
  readonly p95Time: number | null
  readonly p99Time: number | null
}

/**
 * How one name did, step by step. A query and a mutation of one name are one here.
 *
 * @throws PerformanceError MPERF_ARGUMENT_INVALID
 */
export async function historyOf(
  source: MetricsSource,
  { kind, name, fingerprint }: HistoryArguments
): Promise<HistoryPoint[]> {
  const { name: checked, fingerprint: only } = checkedSelection({ name, fingerprint: fingerprint ?? null })
  if (checked === undefined) throw new PerformanceError('MPERF_ARGUMENT_INVALID', 'name is missing: expected a name')
  const timeline = await source.timeline({ kinds: [kinds[kind]], name: checked })
  const wanted = timeline.points.filter(
    ({ identity: { labels } }) =>
      only === undefined || (labels !== null && 'fingerprint' in labels && labels.fingerprint === only)
  )
  return pointsOf(timeline, wanted)
}

function pointsOf({ range: { from, to, step } }: Timeline, found: readonly TimelinePoint[]): HistoryPoint[] {
  const bySteps = new Map<number, TimelinePoint[]>()
  for (const point of found) bySteps.set(point.at, [...(bySteps.get(point.at) ?? []), point])
  const points: HistoryPoint[] = []
  for (let at = Math.floor(from / step) * step; at < to; at += step) points.push(pointOf(at, bySteps.get(at) ?? []))
  return points
}

function pointOf(at: number, parts: readonly TimelinePoint[]): HistoryPoint {
  const merger = new Merger()
  let errorCount = 0
  let untimed = 0
  for (const { rollup } of parts) {
    merger.add(rollup.times)
    errorCount += rollup.errors
    untimed += rollup.untimed
  }
  const { count, ...times } = timesIn(merger, untimed)
  const { avgTime, medianTime, minTime, maxTime, p90Time, p95Time, p99Time } = times
  const timestamp = new Date(at).toISOString()
  const orNull = (seconds: number): number | null => (merger.count === 0 ? null : seconds)
  return {
    timestamp,
    count,
    errorCount,
    avgTime: orNull(avgTime),
    medianTime: orNull(medianTime),
    minTime: orNull(minTime),
    maxTime: orNull(maxTime),
    p90Time: orNull(p90Time),
    p95Time: orNull(p95Time),
    p99Time: orNull(p99Time)
  }
}
