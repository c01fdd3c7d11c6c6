import { BUCKET_LIMIT, LOWEST_BUCKET, bucketValue } from './bucket.js'
import type { Sketch } from './sketch.js'

/** The buckets of a sketch: `counts[0]` belongs to bucket `offset`, which `bucket.ts` says the bounds of. */
export interface Buckets {
  readonly offset: number
  readonly counts: readonly number[]
}

/**
 * Sums sketches and reads quantiles and buckets from the sum, in buffers it keeps, so that a snapshot of thousands of
 * series allocates nothing per series. Use: `clear()`, `add()` each sketch, read.
 */
export class Merger {
  count = 0
  sum = 0
  min = Infinity
  max = 0
  /** How many of the values were 0. */
  zeroCount = 0
  #from = BUCKET_LIMIT
  #end = 0
  readonly #counts = new Float64Array(BUCKET_LIMIT)

  clear(): void {
    this.#counts.fill(0, this.#from, this.#end)
    this.count = 0
    this.sum = 0
    this.min = Infinity
    this.max = 0
    this.zeroCount = 0
    this.#from = BUCKET_LIMIT
    this.#end = 0
  }

  add(sketch: Sketch): void {
    if (sketch.count === 0) return
    const isFirst = this.count === 0
    this.count += sketch.count
    this.sum += sketch.sum
    if (sketch.min < this.min) this.min = sketch.min
    if (sketch.max > this.max) this.max = sketch.max
    this.zeroCount += sketch.zeroCount
    const from = sketch.first - LOWEST_BUCKET
    // A step of buckets may begin before the lowest one or end past the highest; nothing is ever counted out there.
    const begin = Math.max(0, -from)
    const end = Math.min(sketch.counts.length, BUCKET_LIMIT - from)
    // Most often there is one sketch, or a long one and then one of the open slot.
    if (isFirst) this.#copy(sketch.counts, from, begin, end)
    else this.#sumUp(sketch.counts, from, begin, end)
    if (from + begin < this.#from) this.#from = from + begin
    if (from + end > this.#end) this.#end = from + end
  }

  /**
   * The values at `quantiles`, each 0 to 1, in nanoseconds; ascending ones are found quickest. 0 where nothing was added.
   * Between two ranks it interpolates as PostgreSQL's `percentile_cont` and Python's `median` do.
   */
  quantiles(quantiles: readonly number[]): number[] {
    if (this.count === 0) return quantiles.map(() => 0)
    const walk = new RankWalk(this.#counts, this.#from, this.zeroCount)
    return quantiles.map(quantile => {
      const rank = quantile * (this.count - 1)
      const low = Math.floor(rank)
      const lower = this.#at(low, walk)
      return rank === low ? lower : lower + (rank - low) * (this.#at(low + 1, walk) - lower)
    })
  }

  /** How many values each bucket holds, from the first to the last one that holds any. */
  buckets(): Buckets {
    let from = this.#from
    let end = this.#end
    while (from < end && this.#counts[from] === 0) from += 1
    while (end > from && this.#counts[end - 1] === 0) end -= 1
    return { offset: from < end ? from + LOWEST_BUCKET : 0, counts: Array.from(this.#counts.subarray(from, end)) }
  }

  #copy(counts: Sketch['counts'], from: number, begin: number, end: number): void {
    const isWhole = begin === 0 && end === counts.length
    this.#counts.set(isWhole ? counts : counts.subarray(begin, end), from + begin)
  }

  #sumUp(counts: Sketch['counts'], from: number, begin: number, end: number): void {
    const sums = this.#counts
    for (let offset = begin; offset < end; offset += 1) {
      sums[from + offset] = (sums[from + offset] ?? 0) + (counts[offset] ?? 0)
    }
  }

  #at(rank: number, walk: RankWalk): number {
    if (rank <= 0) return this.min
    if (rank >= this.count - 1) return this.max
    return Math.min(Math.max(walk.valueAt(rank), this.min), this.max)
  }
}

/** Walks the buckets upwards once for all ranks asked, which hardly ever go down. */
class RankWalk {
  readonly #counts: Float64Array
  readonly #start: number
  readonly #zeroCount: number
  /** The bucket that it has come to, and the value that stands for it. */
  #index = 0
  #value = 0
  /** How many values lie below that bucket, and how many with those in it. */
  #below = 0
  #reached = 0

  constructor(counts: Float64Array, start: number, zeroCount: number) {
    this.#counts = counts
    this.#start = start
    this.#zeroCount = zeroCount
    this.#restart()
  }

  valueAt(rank: number): number {
    if (rank < this.#zeroCount) return 0
    if (rank < this.#below) this.#restart()
    if (rank >= this.#reached) this.#climb(rank)
    return this.#value
  }

  #restart(): void {
    this.#index = this.#start - 1
    this.#below = this.#zeroCount
    this.#reached = this.#zeroCount
  }

  #climb(rank: number): void {
    const counts = this.#counts
    let index = this.#index
    let reached = this.#reached
    while (rank >= reached && index < BUCKET_LIMIT - 1) {
      index += 1
      reached += counts[index] ?? 0
    }
    this.#index = index
    this.#below = reached - (counts[index] ?? 0)
    this.#reached = reached
    this.#value = bucketValue(index + LOWEST_BUCKET)
  }
}
