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

/** The index of the bucket that holds `nanoseconds`, which is above 0. */
export function bucketOf(nanoseconds: number): number {
  return nanoseconds >= LARGEST
    ? HIGHEST_BUCKET
    : Math.ceil(Math.log2(nanoseconds) * BUCKETS_PER_OCTAVE - BUCKETS_BELOW_SECOND) - 1
}

/**
 * The value that stands for a bucket, in nanoseconds: the one whose relative distance to both bounds is the same, so
 * that the error is at most (b - 1) / (b + 1), 0.54%.
 */
export function bucketValue(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_OCTAVE) * VALUE_OF_BUCKET_0
}
