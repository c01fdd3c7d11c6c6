import { BYTES } from './bytes.js'
import { Sketch } from './sketch.js'

/**
 * What the series of one dimension add up to besides their times; a series has one for each slot and one for their sum.
 */
export interface Sums<Self> {
  /** Another one of the same series, at zero. */
  another(): Self
  add(other: Self): void
  /** Takes out what was added before; `left` lists what is still in, where that is known. */
  subtract(other: Self, left?: () => readonly Self[]): void
  reset(): void
  /** Memory that it takes, an estimate. */
  readonly bytes: number
  /** A total that grows with whatever may come apart from a call; 0 where nothing does. */
  readonly extent: number
}

/** What a series adds up to in some time. */
export interface Totals<Own> {
  readonly times: Sketch
  errors: number
  /** Calls that no time stands for yet. */
  untimed: number
  readonly sums: Own
}

export function addTotals<Own extends Sums<Own>>(into: Totals<Own>, from: Totals<Own>): void {
  into.times.merge(from.times)
  into.errors += from.errors
  into.untimed += from.untimed
  into.sums.add(from.sums)
}

export function clearTotals<Own extends Sums<Own>>(totals: Totals<Own>): void {
  totals.times.reset()
  totals.errors = 0
  totals.untimed = 0
  totals.sums.reset()
}

/** The total of `value` over the sums that a read has found. */
export function total<Own>(sums: readonly Own[], value: (sums: Own) => number): number {
  return sums.reduce((found, own) => found + value(own), 0)
}

/** Of a series that has nothing but its times; one does for all. */
export class NoSums implements Sums<NoSums> {
  readonly bytes = 0
  readonly extent = 0

  another(): this {
    return this
  }

  add(): void {
    // Nothing to add.
  }

  subtract(): void {
    // Nothing to take out.
  }

  reset(): void {
    // Nothing is kept.
  }
}

/** What the calls of a resolver add up to; times in nanoseconds. */
export class ResolverSums implements Sums<ResolverSums> {
  /** SQL statements that they sent. */
  statements = 0
  sqlTime = 0
  selfTime = 0
  readonly bytes = BYTES.sums

  get extent(): number {
    return this.statements
  }

  /**
   * The times are taken `weight` times: for the calls that nobody timed too. These counted their statements themselves.
   */
  record(statements: number, sqlTime: number, selfTime: number, weight: number): void {
    this.statements += statements
    this.sqlTime += weight * sqlTime
    this.selfTime += weight * selfTime
  }

  another(): ResolverSums {
    return new ResolverSums()
  }

  add({ statements, sqlTime, selfTime }: ResolverSums): void {
    this.statements += statements
    this.sqlTime += sqlTime
    this.selfTime += selfTime
  }

  subtract({ statements, sqlTime, selfTime }: ResolverSums): void {
    this.statements -= statements
    this.sqlTime -= sqlTime
    this.selfTime -= selfTime
  }

  reset(): void {
    this.statements = 0
    this.sqlTime = 0
    this.selfTime = 0
  }
}

/** How a count is spread over what was measured: the SQL of an operation's requests, the size of a loader's batches. */
export class CountSums implements Sums<CountSums> {
  readonly counts = new Sketch()
  readonly extent = 0

  another(): CountSums {
    return new CountSums()
  }

  add({ counts }: CountSums): void {
    this.counts.merge(counts)
  }

  subtract({ counts }: CountSums, left?: () => readonly CountSums[]): void {
    this.counts.subtract(counts, left && (() => left().map(other => other.counts)))
  }

  reset(): void {
    this.counts.reset()
  }

  get bytes(): number {
    return BYTES.sums + this.counts.bytes
  }
}
