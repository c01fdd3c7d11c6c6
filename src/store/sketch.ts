import { BYTES } from './bytes.js'

/**
 * A histogram of durations, or of counts, whose quantiles are within 0.6% of the true value at any count.
 *
 * The buckets are those of OpenTelemetry's base-2 exponential histogram at scale 6, in seconds, the unit in which they
 * leave: bucket `i` holds the values in (b^i, b^(i+1)] seconds with b = 2^(2^-6), about 1.0109. So it leaves over OTLP
 * without loss, and merging is addition. A count is kept as if it were so many nanoseconds.
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
 *
 * Values are whole nanoseconds: sums of them are exact up to 2^53 (104 days).
 */
export const SCALE = 6

const BUCKETS_PER_OCTAVE = 2 ** SCALE
const SECOND = 1e9
/** How many buckets there are between a nanosecond and a second; not a whole number. */
const BUCKETS_BELOW_SECOND = Math.log2(SECOND) * BUCKETS_PER_OCTAVE
/** Longer durations count as this: 2^47 ns, 39 hours. It bounds the buckets of a sketch to 3,009. */
const LARGEST = 2 ** 47
/** That of a nanosecond. */
export const LOWEST_BUCKET = Math.ceil(-BUCKETS_BELOW_SECOND) - 1
const HIGHEST_BUCKET = Math.ceil(47 * BUCKETS_PER_OCTAVE - BUCKETS_BELOW_SECOND) - 1
export const BUCKET_LIMIT = HIGHEST_BUCKET - LOWEST_BUCKET + 1
/** Buckets are allocated in steps of this many; most series stay within an octave or two. */
const STEP = 16

type Counts = Uint8Array | Uint32Array | Float64Array

const none: Counts = new Uint8Array(0)

export class Sketch {
  count = 0
  /** Nanoseconds, where the values are durations. */
  sum = 0
  min = Infinity
  max = 0
  /** How many of the values were 0, which has no bucket. */
  zeroCount = 0
  /** The bucket index of `counts[0]`. */
  first = 0
  counts: Counts = none

  /** Adds a whole, non-negative number, `weight` times. */
  record(value: number, weight = 1): void {
    this.count += weight
    this.sum += weight * value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (value === 0) this.zeroCount += weight
    else this.#add(bucketOf(value), weight)
  }

  /** Adds everything that `other` holds. */
  merge(other: Sketch): void {
    if (other.count === 0) return
    this.count += other.count
    this.sum += other.sum
    if (other.min < this.min) this.min = other.min
    if (other.max > this.max) this.max = other.max
    this.zeroCount += other.zeroCount
    const added = other.counts
    const from = firstFilled(added)
    const end = endOfFilled(added)
    if (from >= end) return
    this.#makeRoom(other.first + from)
    this.#makeRoom(other.first + end - 1)
    const shift = other.first - this.first
    for (let offset = from; offset < end; offset += 1) {
      const count = added[offset] ?? 0
      if (count > 0) this.#addAt(shift + offset, count)
    }
  }

  /**
   * Takes out what was merged in before; `left` lists what is still in, and is asked where an extreme may have gone.
   * Without it the extremes are those of the buckets.
   */
  subtract(other: Sketch, left?: () => readonly Sketch[]): void {
    this.count -= other.count
    this.sum -= other.sum
    this.zeroCount -= other.zeroCount
    const shift = other.first - this.first
    for (let offset = 0; offset < other.counts.length; offset += 1) {
      const count = other.counts[offset] ?? 0
      if (count > 0) this.counts[shift + offset] = (this.counts[shift + offset] ?? 0) - count
    }
    if (other.min > this.min && other.max < this.max) return
    if (left === undefined) {
      this.#narrow()
      return
    }
    const sketches = left()
    this.min = Math.min(Infinity, ...sketches.map(({ min }) => min))
    this.max = Math.max(0, ...sketches.map(({ max }) => max))
  }

  /** Empties the sketch and keeps its buckets, so that a reused slot allocates nothing. */
  reset(): void {
    this.count = 0
    this.sum = 0
    this.min = Infinity
    this.max = 0
    this.zeroCount = 0
    this.counts.fill(0)
  }

  /** Memory that it takes, an estimate. */
  get bytes(): number {
    return BYTES.sketch + (this.counts.length === 0 ? 0 : BYTES.buckets + this.counts.byteLength)
  }

  #narrow(): void {
    const within = (value: number): number => Math.min(Math.max(Math.round(value), this.min), this.max)
    const end = endOfFilled(this.counts)
    const lowest = end === 0 ? Infinity : within(bucketValue(this.first + firstFilled(this.counts)))
    const least = this.zeroCount > 0 ? 0 : lowest
    this.max = end === 0 ? 0 : within(bucketValue(this.first + end - 1))
    this.min = least
  }

  #add(bucket: number, count: number): void {
    this.#makeRoom(bucket)
    this.#addAt(bucket - this.first, count)
  }

  #makeRoom(bucket: number): void {
    const offset = bucket - this.first
    if (offset < 0 || offset >= this.counts.length) this.#cover(bucket)
  }

  #addAt(offset: number, count: number): void {
    const next = (this.counts[offset] ?? 0) + count
    if (next > 0xff && this.counts instanceof Uint8Array) this.counts = Uint32Array.from(this.counts)
    if (next > 0xffff_ffff && this.counts instanceof Uint32Array) this.counts = Float64Array.from(this.counts)
    this.counts[offset] = next
  }

  #cover(bucket: number): void {
    const size = this.counts.length
    const from = Math.floor((size === 0 ? bucket : Math.min(bucket, this.first)) / STEP) * STEP
    const end = size === 0 ? bucket + 1 : Math.max(bucket + 1, this.first + size)
    const length = Math.ceil((end - from) / STEP) * STEP
    const wider =
      this.counts instanceof Uint8Array
        ? new Uint8Array(length)
        : this.counts instanceof Uint32Array
          ? new Uint32Array(length)
          : new Float64Array(length)
    if (size > 0) wider.set(this.counts, this.first - from)
    this.first = from
    this.counts = wider
  }
}

/** The offset of the first bucket that is not empty; the length where all are. */
export function firstFilled(counts: Counts): number {
  let offset = 0
  while (offset < counts.length && counts[offset] === 0) offset += 1
  return offset
}

/** The offset after the last bucket that is not empty; 0 where all are. */
export function endOfFilled(counts: Counts): number {
  let end = counts.length
  while (end > 0 && counts[end - 1] === 0) end -= 1
  return end
}

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
  const lower = 2 ** (bucket / BUCKETS_PER_OCTAVE)
  const upper = 2 ** ((bucket + 1) / BUCKETS_PER_OCTAVE)
  return ((2 * lower * upper) / (lower + upper)) * SECOND
}
