/**
 * The buckets of OpenTelemetry's base-2 exponential histogram at this scale, in seconds, the unit in which they leave:
 * bucket `i` holds the values in (b^i, b^(i+1)] seconds with b = 2^(2^-6), about 1.0109. So they leave over OTLP without
 * loss. https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 */
export const SCALE = 6

const BUCKETS_PER_OCTAVE = 2 ** SCALE
const BASE = 2 ** (1 / BUCKETS_PER_OCTAVE)
const SECOND = 1e9
/** How many buckets there are between a nanosecond and a second; not a whole number. */
const BUCKETS_BELOW_SECOND = Math.log2(SECOND) * BUCKETS_PER_OCTAVE
/** Longer durations count as this: 2^47 ns, 39 hours. It bounds the buckets of a sketch to 3,009. */
const LARGEST = 2 ** 47
/** That of a nanosecond. */
export const LOWEST_BUCKET = Math.ceil(-BUCKETS_BELOW_SECOND) - 1
const HIGHEST_BUCKET = Math.ceil(47 * BUCKETS_PER_OCTAVE - BUCKETS_BELOW_SECOND) - 1
/** The harmonic mean of the bounds of bucket 0, in nanoseconds. */
const VALUE_OF_BUCKET_0 = ((2 * BASE) / (1 + BASE)) * SECOND
export const BUCKET_LIMIT = HIGHEST_BUCKET - LOWEST_BUCKET + 1

/** Below it, two seconds, almost all values lie; a whole number below it has at most 31 bits. */
const TABULATED = 2 ** 31
/** A cell holds what begins with the same bits: a power of two is divided into 64 of them, about as wide as a bucket. */
const CELL_BITS = 6
const CELLS_PER_OCTAVE = 2 ** CELL_BITS

/** The largest whole number of each bucket that begins below `TABULATED`, from the lowest bucket on. */
const largest = Float64Array.from({ length: calculatedBucketOf(TABULATED - 1) - LOWEST_BUCKET + 1 }, (_, index) =>
  largestIn(LOWEST_BUCKET + index)
)

/** The bucket of the least whole number of each cell. */
const firstBuckets = Int16Array.from({ length: 31 * CELLS_PER_OCTAVE }, (_, cell) => {
  const least = (CELLS_PER_OCTAVE + (cell % CELLS_PER_OCTAVE)) * 2 ** (Math.floor(cell / CELLS_PER_OCTAVE) - CELL_BITS)
  return calculatedBucketOf(Math.ceil(least))
})

/**
 * The index of the bucket that holds `nanoseconds`, a whole number above 0. It is looked up, since each call is counted
 * in one and a logarithm would be a good part of what that costs.
 */
export function bucketOf(nanoseconds: number): number {
  if (nanoseconds >= TABULATED) return calculatedBucketOf(nanoseconds)
  const exponent = 31 - Math.clz32(nanoseconds)
  const bits = exponent >= CELL_BITS ? nanoseconds >>> (exponent - CELL_BITS) : nanoseconds << (CELL_BITS - exponent)
  let bucket = firstBuckets[(exponent << CELL_BITS) + bits - CELLS_PER_OCTAVE] ?? LOWEST_BUCKET
  // A cell is never wider than two buckets.
  while (nanoseconds > (largest[bucket - LOWEST_BUCKET] ?? Infinity)) bucket += 1
  return bucket
}

/** The same, calculated. */
export function calculatedBucketOf(nanoseconds: number): number {
  return nanoseconds >= LARGEST
    ? HIGHEST_BUCKET
    : Math.ceil(Math.log2(nanoseconds) * BUCKETS_PER_OCTAVE - BUCKETS_BELOW_SECOND) - 1
}

function largestIn(bucket: number): number {
  let value = Math.max(1, Math.floor(2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE) * SECOND))
  // What is calculated is right to a few units in the last place.
  while (value > 1 && calculatedBucketOf(value) > bucket) value -= 1
  while (calculatedBucketOf(value + 1) <= bucket) value += 1
  return value
}

/**
 * The value that stands for a bucket, in nanoseconds: the one whose relative distance to both bounds is the same, so
 * that the error is at most (b - 1) / (b + 1), 0.54%.
 */
export function bucketValue(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_OCTAVE) * VALUE_OF_BUCKET_0
}
