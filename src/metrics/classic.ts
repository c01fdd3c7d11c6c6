import type { ExponentialHistogram, Histogram } from '@opentelemetry/sdk-metrics'

/** How many values are at most as large as each bound, in the order of the bounds. */
export interface ClassicHistogram {
  readonly bounds: readonly number[]
  /** One more than there are bounds: the last is for all values. */
  readonly atMost: readonly number[]
}

/**
 * Powers of two of a second, 61 µs to 32 s. Those are bounds of the buckets that are kept, so no count is an estimate.
 */
const FIRST_POWER = -14
const BOUNDS = Array.from({ length: 20 }, (_, index) => 2 ** (FIRST_POWER + index))

/** An exponential histogram with the bounds of a classic one. */
export function classicOf({ scale, zeroCount, positive }: ExponentialHistogram): ClassicHistogram {
  const counts = new Array<number>(BOUNDS.length + 1).fill(0)
  counts[0] = zeroCount
  const { offset, bucketCounts } = positive
  const bucketsPerPower = 2 ** scale
  for (let index = 0; index < bucketCounts.length; index += 1) {
    // The power of two that is the bucket's upper bound, or the next above it.
    const power = Math.ceil((offset + index + 1) / bucketsPerPower)
    const place = Math.min(Math.max(power - FIRST_POWER, 0), BOUNDS.length)
    counts[place] = (counts[place] ?? 0) + (bucketCounts[index] ?? 0)
  }
  return { bounds: BOUNDS, atMost: accumulated(counts) }
}

/** The same of a histogram that is a classic one. */
export function asClassic({ buckets: { boundaries, counts } }: Histogram): ClassicHistogram {
  return { bounds: boundaries, atMost: accumulated(counts) }
}

function accumulated(counts: readonly number[]): number[] {
  let sum = 0
  return counts.map(count => (sum += count))
}
