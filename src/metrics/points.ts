import type { HrTime } from '@opentelemetry/api'
import type { ExponentialHistogram } from '@opentelemetry/sdk-metrics'
import { SCALE } from '../store/bucket.js'
import type { SeriesTotals } from '../store/totals.js'

const SECOND = 1e9

/** What can be counted anew from one collection to the next. */
export type Counted = Pick<SeriesTotals, 'count' | 'sum' | 'zeroCount' | 'offset' | 'counts' | 'errors'>

/** What came since `before`, of the same series: buckets and sums are only ever added to. */
export function since(before: Counted | undefined, now: Counted): Counted {
  if (before === undefined) return now
  return {
    count: now.count - before.count,
    sum: now.sum - before.sum,
    zeroCount: now.zeroCount - before.zeroCount,
    offset: now.offset,
    counts: now.counts.map((count, index) => count - (before.counts[index + now.offset - before.offset] ?? 0)),
    errors: now.errors - before.errors
  }
}

/** As an exponential histogram in seconds; the buckets of the store are its buckets. */
export function histogramOf(
  { count, sum, zeroCount, offset, counts }: Counted,
  extremes?: Pick<SeriesTotals, 'min' | 'max'>
): ExponentialHistogram {
  return {
    count,
    sum: sum / SECOND,
    scale: SCALE,
    zeroCount,
    positive: { offset, bucketCounts: [...counts] },
    negative: { offset: 0, bucketCounts: [] },
    ...(extremes && { min: extremes.min / SECOND, max: extremes.max / SECOND })
  }
}

/** Milliseconds since 1970 as seconds and nanoseconds. */
export function hrTimeOf(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000)
  return [seconds, Math.floor((milliseconds - seconds * 1000) * 1e6)]
}

export function isLater(one: HrTime, other: HrTime): boolean {
  return one[0] > other[0] || (one[0] === other[0] && one[1] > other[1])
}
