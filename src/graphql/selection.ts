import { PerformanceError } from '../errors.js'
import { RECENT_LIMIT } from '../store/recent.js'
import type { SeriesSnapshot } from '../store/snapshot.js'

const NAME_LIMIT = 200
const ROW_LIMIT = 2001

export interface SelectionArguments {
  readonly name?: string | null
  readonly orderBy?: string | null
  readonly limit?: number | null
}

type Comparison = (one: SeriesSnapshot, other: SeriesSnapshot) => number

const descending =
  (value: (series: SeriesSnapshot) => number): Comparison =>
  (one, other) =>
    value(other) - value(one)

const comparisons = new Map<string, Comparison>([
  ['TOTAL_TIME', descending(series => series.totalTime)],
  ['COUNT', descending(series => series.count)],
  ['ERROR_COUNT', descending(series => series.errorCount)],
  ['AVG_TIME', descending(series => series.avgTime)],
  ['MEDIAN_TIME', descending(series => series.medianTime)],
  ['MIN_TIME', descending(series => series.minTime)],
  ['MAX_TIME', descending(series => series.maxTime)],
  ['P90_TIME', descending(series => series.p90Time)],
  ['P95_TIME', descending(series => series.p95Time)],
  ['P99_TIME', descending(series => series.p99Time)],
  ['LAST_EXECUTION', descending(series => Date.parse(series.lastExecution ?? ''))],
  ['NAME', (one, other) => (one.name < other.name ? -1 : 1)]
])

/**
 * The first `limit` rows in the order asked for.
 *
 * @throws PerformanceError MPERF_ARGUMENT_INVALID naming the bound that `limit` or `orderBy` broke
 */
export function ordered<Row extends SeriesSnapshot>(
  rows: readonly Row[],
  { orderBy, limit }: SelectionArguments
): Row[] {
  const comparison = comparisons.get(orderBy ?? 'TOTAL_TIME')
  if (comparison === undefined) {
    throw invalid('orderBy', String(orderBy), `one of ${[...comparisons.keys()].join(', ')}`)
  }
  return [...rows].sort(comparison).slice(0, checkedLimit(limit ?? 100))
}

/** @throws PerformanceError MPERF_ARGUMENT_INVALID */
export function checkedLimit(limit: number): number {
  if (!(limit >= 1 && limit <= ROW_LIMIT)) throw invalid('limit', String(limit), `a number from 1 to ${ROW_LIMIT}`)
  return limit
}

/** @throws PerformanceError MPERF_ARGUMENT_INVALID */
export function checkedRecent(limit: number): number {
  if (!(limit >= 1 && limit <= RECENT_LIMIT)) {
    throw invalid('limit of recent', String(limit), `a number from 1 to ${RECENT_LIMIT}`)
  }
  return limit
}

/**
 * `name` for a snapshot, which has no null.
 *
 * @throws PerformanceError MPERF_ARGUMENT_INVALID
 */
export function checkedName(name: string | null | undefined): { readonly name?: string } {
  if (name === null || name === undefined) return {}
  if (name.length === 0 || name.length > NAME_LIMIT) {
    throw invalid('name', `a text of ${name.length} characters`, `1 to ${NAME_LIMIT} characters`)
  }
  return { name }
}

function invalid(argument: string, seen: string, expected: string): PerformanceError {
  return new PerformanceError('MPERF_ARGUMENT_INVALID', `${argument} is ${seen}: expected ${expected}`)
}
