import { bucketOf, bucketValue } from './bucket.js'
import { BYTES } from './bytes.js'

/** Buckets are allocated in steps of this many; most series stay within an octave or two. */
const STEP = 16

type Counts = Uint8Array | Uint32Array | Float64Array

const none: Counts = new Uint8Array(0)

/**
 * A histogram of durations, or of counts, whose quantiles are within 0.6% of the true value at any count; `bucket.ts` says
 * what its buckets are. Merging is addition. A count is kept as if it were so many nanoseconds.
 *
 * Values are whole nanoseconds: sums of them are exact up to 2^53 (104 days).
 */
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

  /** Empties the sketch. */
  clear(): void {
    this.counts = none
    this.reset()
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
    const { counts } = this
    const next = (counts[offset] ?? 0) + count
    counts[offset] = next
    // To read what was written asks least whether it had room there.
    if (counts[offset] !== next) this.#widen(offset, next)
  }

  #widen(offset: number, next: number): void {
    const isOfBytes = this.counts instanceof Uint8Array && next <= 0xffff_ffff
    this.counts = isOfBytes ? Uint32Array.from(this.counts) : Float64Array.from(this.counts)
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
