import { bucketValue, SCALE } from '../../store/bucket.js'
import { Sketch } from '../../store/sketch.js'

/** What was counted: a number of things or, with their sum and their buckets, of durations. */
export interface Amount {
  readonly count: number
  /** Seconds. */
  readonly sum: number
  readonly zeroCount: number
  /** How many lie in each bucket; `bucket.ts` says the bounds of them. */
  readonly buckets: ReadonlyMap<number, number>
}

/** A native histogram as the API of Prometheus writes it. Buckets that hold nothing are left out. */
export interface JsonHistogram {
  readonly count: string
  readonly sum: string
  readonly buckets?: readonly (readonly [rule: number, left: string, right: string, count: string])[]
}

export const NOTHING: Amount = { count: 0, sum: 0, zeroCount: 0, buckets: new Map() }

const SECOND = 1e9
const BUCKETS_PER_OCTAVE = 2 ** SCALE

/**
 * Where Prometheus has reduced the resolution, what a wide bucket holds is taken for its middle.
 * https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms
 */
export function amountOf({ count, sum, buckets: found = [] }: JsonHistogram): Amount {
  const buckets = new Map<number, number>()
  let zeroCount = 0
  for (const [, left, right, held] of found) {
    // The bucket around zero reaches below it; a duration is never negative.
    if (Number(left) <= 0) zeroCount += Number(held)
    else {
      const bucket = middleBucket(Number(left), Number(right))
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + Number(held))
    }
  }
  return { count: Number(count), sum: Number(sum), zeroCount, buckets }
}

export function plus(one: Amount, other: Amount): Amount {
  return combined(one, other, 1)
}

/** What came from `before` to `now`; all of it where it was counted anew. */
export function increase(now: Amount, before: Amount): Amount {
  const isReset =
    now.count < before.count ||
    now.zeroCount < before.zeroCount ||
    [...before.buckets].some(([bucket, count]) => count > (now.buckets.get(bucket) ?? 0))
  return isReset ? now : combined(now, before, -1)
}

/** As the store keeps durations. Smallest and largest are those of the buckets. */
export function sketchOf({ sum, zeroCount, buckets }: Amount): Sketch {
  const sketch = new Sketch()
  if (zeroCount > 0) sketch.record(0, Math.round(zeroCount))
  for (const [bucket, count] of buckets) {
    const weight = Math.round(count)
    if (weight > 0) sketch.record(Math.round(bucketValue(bucket)), weight)
  }
  if (sketch.count > 0) sketch.sum = Math.round(sum * SECOND)
  return sketch
}

function combined(one: Amount, other: Amount, sign: 1 | -1): Amount {
  const buckets = new Map(one.buckets)
  for (const [bucket, count] of other.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + sign * count)
  return {
    count: one.count + sign * other.count,
    sum: one.sum + sign * other.sum,
    zeroCount: one.zeroCount + sign * other.zeroCount,
    buckets
  }
}

function middleBucket(left: number, right: number): number {
  const from = Math.log2(left) * BUCKETS_PER_OCTAVE
  const end = Math.log2(right) * BUCKETS_PER_OCTAVE
  // Bounds are powers of two that were rounded: a narrow bucket begins at a whole number but for that.
  return end - from < 1.5
    ? Math.floor((from + end) / 2)
    : Math.floor(Math.round(from) + (Math.round(end - from) - 1) / 2)
}
