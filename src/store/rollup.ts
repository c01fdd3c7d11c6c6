import { BYTES } from './bytes.js'
import { Sketch } from './sketch.js'
import { addTotals, clearTotals, type Sums, type Totals } from './sums.js'

/** What a series added up to in a stretch of time: adding those of two stretches gives that of both. */
export type Rollup<Own> = Totals<Own>

/**
 * Tells what has come to a series since it was asked last, whatever the retention. A write costs nothing for it: what
 * the window holds now is compared with what it held then, and what has left the window in between is added.
 */
export class RollingUp<Own extends Sums<Own>> {
  /** What the window held when it was rolled up last. */
  readonly #before: Totals<Own>
  /** What has left the window since. */
  readonly #left: Totals<Own>

  constructor(sums: Own) {
    this.#before = emptyTotals(sums)
    this.#left = emptyTotals(sums)
  }

  /** Takes note of what leaves the window. */
  left(totals: Totals<Own>): void {
    addTotals(this.#left, totals)
  }

  /**
   * What came since the last time, where anything did; `held` is what the window holds, `low` and `high` the extremes
   * of what came.
   */
  take(held: readonly Totals<Own>[], low: number, high: number): Rollup<Own> | undefined {
    const now = [...held, this.#left]
    const before = this.#before
    const hasCome =
      sum(now, ({ times }) => times.count) !== before.times.count ||
      sum(now, ({ errors }) => errors) !== before.errors ||
      sum(now, ({ untimed }) => untimed) !== before.untimed ||
      sum(now, ({ sums }) => sums.extent) !== before.sums.extent
    if (!hasCome) return undefined
    const came = emptyTotals(before.sums)
    for (const totals of now) addTotals(came, totals)
    subtractTotals(came, before)
    came.times.min = low
    came.times.max = high
    // What is held now is what was, and what came, less what left: little is added, where all that is held may be much.
    addTotals(before, came)
    subtractTotals(before, this.#left)
    clearTotals(this.#left)
    return came
  }

  /** Takes over what `other` knows, whose series has turned out to be the same. */
  absorb(other: RollingUp<Own>): void {
    addTotals(this.#before, other.#before)
    addTotals(this.#left, other.#left)
  }

  /** Memory that it takes, an estimate. */
  get bytes(): number {
    const parts = [this.#before, this.#left]
    return parts.reduce((found, { times, sums }) => found + BYTES.expired + times.bytes + sums.bytes, 0)
  }

  /** Gives back what its sums hold of something shared. */
  forget(): void {
    this.#before.sums.reset()
    this.#left.sums.reset()
  }
}

export function emptyTotals<Own extends Sums<Own>>(sums: Own): Totals<Own> {
  return { times: new Sketch(), errors: 0, untimed: 0, sums: sums.another() }
}

/** The extremes are those of buckets then. */
function subtractTotals<Own extends Sums<Own>>(from: Totals<Own>, totals: Totals<Own>): void {
  from.times.subtract(totals.times)
  from.errors -= totals.errors
  from.untimed -= totals.untimed
  from.sums.subtract(totals.sums)
}

function sum<Own extends Sums<Own>>(all: readonly Totals<Own>[], value: (totals: Totals<Own>) => number): number {
  return all.reduce((found, totals) => found + value(totals), 0)
}
