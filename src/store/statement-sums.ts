import type { QueryMeasurement } from '../spans/measurement.js'
import { BYTES } from './bytes.js'
import { Caller, Callers, type CallerAllowance } from './callers.js'
import type { StatementSnapshot } from './snapshot.js'
import { total, type Sums } from './sums.js'

const SECOND = 1e9

type CallerKey = Pick<Caller, 'resolver' | 'operation'>

/** What one caller of a statement added to it; the time in nanoseconds. */
export interface CallerTotals extends CallerKey {
  readonly count: number
  readonly errors: number
  readonly time: number
  readonly rows: number
}

/** What one caller of a statement adds up to. */
class Tally {
  readonly caller: Caller
  /** The tally after it: a statement has few callers, and a list of them has no room to spare. */
  next: Tally | undefined
  count = 0
  errors = 0
  /** Nanoseconds. */
  time = 0
  rows = 0

  constructor(caller: Caller, next?: Tally) {
    this.caller = caller
    this.next = next
  }

  add({ count, errors, time, rows }: Omit<CallerTotals, keyof CallerKey>): void {
    this.count += count
    this.errors += errors
    this.time += time
    this.rows += rows
  }

  subtract({ count, errors, time, rows }: Tally): void {
    this.count -= count
    this.errors -= errors
    this.time -= time
    this.rows -= rows
  }
}

/** What the calls of a SQL statement add up to, caller by caller: every call is in exactly one tally. */
export class StatementSums implements Sums<StatementSums> {
  /** How many calls told how many rows they returned or changed. */
  rowsKnown = 0
  readonly extent = 0
  readonly #callers: Callers
  #first: Tally | undefined

  private constructor(callers: Callers) {
    this.#callers = callers
  }

  /** The sums of a statement that was not seen before. */
  static ofStatement(allowance: CallerAllowance): StatementSums {
    return new StatementSums(new Callers(allowance))
  }

  record({ duration, failed, rows, resolver, operation }: QueryMeasurement): void {
    const tally = this.#tallyOf(this.#callers.get(resolver, operation))
    tally.count += 1
    if (failed) tally.errors += 1
    tally.time += duration
    if (rows === null) return
    tally.rows += rows
    this.rowsKnown += 1
  }

  another(): StatementSums {
    return new StatementSums(this.#callers)
  }

  add(other: StatementSums): void {
    this.rowsKnown += other.rowsKnown
    for (const tally of other.tallies()) this.#tallyOf(this.#callers.like(tally.caller)).add(tally)
  }

  subtract(other: StatementSums): void {
    this.rowsKnown -= other.rowsKnown
    for (const tally of other.tallies()) this.#tallyOf(tally.caller).subtract(tally)
    const left = [...this.tallies()]
    this.#first = undefined
    for (const tally of left) {
      if (tally.count === 0) {
        this.#callers.release(tally.caller)
      } else {
        tally.next = this.#first
        this.#first = tally
      }
    }
  }

  reset(): void {
    for (const { caller } of this.tallies()) this.#callers.release(caller)
    this.rowsKnown = 0
    this.#first = undefined
  }

  get bytes(): number {
    let tallies = 0
    for (let tally = this.#first; tally !== undefined; tally = tally.next) tallies += 1
    return BYTES.sums + tallies * BYTES.tally
  }

  /** Adds what was counted elsewhere for one caller. */
  restore({ resolver, operation, count, errors, time, rows }: CallerTotals): void {
    const tally = this.#tallyOf(this.#callers.like(new Caller(resolver, operation)))
    tally.add({ count, errors, time, rows })
  }

  *tallies(): Generator<Tally> {
    for (let tally = this.#first; tally !== undefined; tally = tally.next) yield tally
  }

  #tallyOf(caller: Caller): Tally {
    for (let tally = this.#first; tally !== undefined; tally = tally.next) if (tally.caller === caller) return tally
    caller.tallies += 1
    return (this.#first = new Tally(caller, this.#first))
  }
}

/** What the sums of a statement say of its rows and its callers; those that take most time come first. */
export function readStatement(sums: readonly StatementSums[]): Pick<StatementSnapshot, 'rows' | 'callers'> {
  const byCaller = new Map<string, Tally>()
  for (const tally of sums.flatMap(own => [...own.tallies()])) {
    const { resolver, operation } = tally.caller
    const key = JSON.stringify([resolver, operation])
    const found = byCaller.get(key) ?? new Tally(tally.caller)
    found.add(tally)
    byCaller.set(key, found)
  }
  const tallies = [...byCaller.values()].sort((one, other) => other.time - one.time)
  const areRowsKnown = total(sums, ({ rowsKnown }) => rowsKnown) > 0
  return {
    rows: areRowsKnown ? total(tallies, ({ rows }) => rows) : null,
    callers: tallies.map(({ caller, count, errors, time, rows }) => ({
      resolver: caller.resolver,
      operation: caller.operation,
      count,
      errorCount: errors,
      totalTime: time / SECOND,
      rows: areRowsKnown ? rows : null
    }))
  }
}
