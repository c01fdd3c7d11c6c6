import { Merger } from './quantiles.js'
import type { CacheSnapshot, CountSummary, TimeSummary } from './snapshot.js'

const SECOND = 1e9
const QUANTILES = [0.5, 0.9, 0.95, 0.99]

/** What a merger holds, if that is durations in nanoseconds; for `untimed` calls more, the others speak. */
export function timesIn(merger: Merger, untimed = 0): TimeSummary {
  const { count, sum } = merger
  const average = count === 0 ? 0 : sum / count
  const [median = 0, p90 = 0, p95 = 0, p99 = 0] = merger.quantiles(QUANTILES)
  return {
    count: count + untimed,
    avgTime: average / SECOND,
    medianTime: median / SECOND,
    minTime: count === 0 ? 0 : merger.min / SECOND,
    maxTime: merger.max / SECOND,
    totalTime: (sum + untimed * average) / SECOND,
    p90Time: p90 / SECOND,
    p95Time: p95 / SECOND,
    p99Time: p99 / SECOND
  }
}

/** What a merger holds, if that is counts. */
export function countsIn(merger: Merger): CountSummary {
  const { count, sum, min, max } = merger
  const [median = 0, p90 = 0, p95 = 0, p99 = 0] = merger.quantiles(QUANTILES).map(Math.round)
  return { avg: count === 0 ? 0 : sum / count, min: count === 0 ? 0 : min, median, p90, p95, p99, max }
}

export const nothing = timesIn(new Merger())

export function cacheOf(hitTimes: TimeSummary, missTimes: TimeSummary): CacheSnapshot {
  const hits = hitTimes.count
  const misses = missTimes.count
  return { hits, misses, hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses), hitTimes, missTimes }
}
