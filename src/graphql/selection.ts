import { PerformanceError } from '../errors.js'
import { CALLERS_OF_STATEMENT } from '../store/callers.js'
import { RECENT_LIMIT } from '../store/recent.js'
import { SLOW_LIMIT } from '../store/slow.js'
import type { SeriesSnapshot, SnapshotOptions } from '../store/snapshot.js'

const NAME_LIMIT = 200
const ROW_LIMIT = 2001

export interface SelectionArguments {
  readonly name?: string | null
  readonly fingerprint?: string | null
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
  ['LAST_EXECUTION', descending(series => (series.lastExecution === null ? 0 : Date.parse(series.lastExecution)))],
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
  return within('limit', limit, ROW_LIMIT)
}

/** @throws PerformanceError MPERF_ARGUMENT_INVALID */
export function checkedRecent(limit: number): number {
  return within('limit of recent', limit, RECENT_LIMIT)
}

/** @throws PerformanceError MPERF_ARGUMENT_INVALID */
export function checkedSlow(limit: number): number {
  return within('limit of slow', limit, SLOW_LIMIT)
}

/** @throws PerformanceError MPERF_ARGUMENT_INVALID */
export function checkedCallers(limit: number): number {
  return within('limit of callers', limit, CALLERS_OF_STATEMENT + 1)
}

/**
 * What a snapshot is asked for, which knows no null.
 *
 * @throws PerformanceError MPERF_ARGUMENT_INVALID
 */
export function checkedSelection({ name, fingerprint }: SelectionArguments): SnapshotOptions {
  return { ...checkedText('name', name), ...checkedText('fingerprint', fingerprint) }
}

function checkedText(argument: 'name' | 'fingerprint', text: string | null | undefined): SnapshotOptions {
  if (text === null || text === undefined) return {}
  if (text.length === 0 || text.length > NAME_LIMIT) {
    throw invalid(argument, `a text of ${text.length} characters`, `1 to ${NAME_LIMIT} characters`)
  }
  return { [argument]: text }
}

function within(argument: string, limit: number, most: number): number {
  if (!(limit >= 1 && limit <= most)) throw invalid(argument, String(limit), `a number from 1 to ${most}`)
  return limit
}

function invalid(argument: string, seen: string, expected: string): PerformanceError {
  return new PerformanceError('MPERF_ARGUMENT_INVALID', `${argument} is ${seen}: expected ${expected}`)
}
