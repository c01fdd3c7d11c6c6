import type { Measurement } from '../spans/measurement.js'
import { BYTES } from './bytes.js'
import type { Merger } from './quantiles.js'
import { RecentCalls } from './recent.js'
import { Sketch } from './sketch.js'
import { epochAt, oldestEpoch, type Window } from './window.js'

interface Totals {
  readonly times: Sketch
  errors: number
  /** Calls that no time stands for yet. */
  untimed: number
  /** SQL statements that the calls sent, and the nanoseconds in which they waited for one. */
  statements: number
  sqlTime: number
}

/** What a series adds up to besides its times. */
export type ReadTotals = Readonly<Omit<Totals, 'times'>>

interface Slot extends Totals {
  epoch: number
  /** Monotonic nanoseconds of its newest measurement. */
  newest: number
  /** Whether it is part of the sum of closed slots. */
  summed: boolean
  /** Memory that it takes, as last looked at. */
  bytes: number
}

/**
 * The measurements of one name. A write touches one slot of a ring. The slots whose time is over are kept summed up, so
 * that a read adds two sketches and not sixty.
 */
export class Series<Labels> {
  readonly name: string
  readonly labels: Labels
  readonly recent = new RecentCalls()
  #slots: (Slot | undefined)[] = []
  /** The sum of the closed slots. */
  #closed = emptyTotals()
  /** The epoch for which `#closed` is right. */
  #settledAt = -Infinity
  /** The epoch of the newest measurement. */
  #newest = -Infinity
  /** The sum of what the slots take, as last looked at. */
  #slotBytes = 0

  constructor(name: string, labels: Labels) {
    this.name = name
    this.labels = labels
  }

  record(window: Window, now: number, measurement: Measurement, statements = 0, sqlTime = 0): void {
    const epoch = epochAt(window, now)
    const slot = this.#slotAt(window, epoch)
    this.#newest = epoch
    slot.newest = now
    slot.times.record(measurement.duration, 1 + slot.untimed)
    slot.untimed = 0
    if (measurement.failed) slot.errors += 1
    slot.statements += statements
    slot.sqlTime += sqlTime
    this.recent.add(now, measurement)
  }

  /**
   * Counts a call that nobody timed. The next one of its slot that is timed stands for it too, so that times from before
   * and from during sampling mix in the right proportion. `now` may be a little old, but no older than the newest call.
   */
  count(window: Window, now: number, failed: boolean): void {
    const epoch = epochAt(window, now)
    const slot = this.#slotAt(window, epoch)
    if (slot.summed) {
      // A read has closed it since; it is summed up anew.
      this.#takeOut(slot)
      this.#settledAt = -Infinity
    }
    this.#newest = epoch
    slot.newest = now
    slot.untimed += 1
    if (failed) slot.errors += 1
  }

  /** Adds the live slots to `merger`, which the caller has cleared. */
  read(window: Window, now: number, merger: Merger): ReadTotals {
    const epoch = epochAt(window, now)
    this.settle(window, now)
    const closed = this.#closed
    merger.add(closed.times)
    const current = this.#slots[positionOf(window, epoch)]
    if (current?.epoch !== epoch) return closed
    merger.add(current.times)
    return {
      errors: closed.errors + current.errors,
      untimed: closed.untimed + current.untimed,
      statements: closed.statements + current.statements,
      sqlTime: closed.sqlTime + current.sqlTime
    }
  }

  /** Memory that it takes, an estimate. Closed slots do not change, so it looks at one slot and not at sixty. */
  bytes(window: Window, now: number): number {
    this.settle(window, now)
    const current = this.#slots[positionOf(window, epochAt(window, now))]
    if (current !== undefined) this.#weigh(current)
    const slots = roomFor(this.#slots.length) * BYTES.element + this.#slotBytes
    return BYTES.series + this.#closed.times.bytes + this.recent.bytes + slots
  }

  /** Whether nothing in it is young enough to be reported. */
  isExpired(window: Window, now: number): boolean {
    return this.#newest < oldestEpoch(window, epochAt(window, now))
  }

  /** Sums up the slots that have closed and takes out those that are too old. Does nothing twice in one slot. */
  settle(window: Window, now: number): void {
    const epoch = epochAt(window, now)
    if (epoch === this.#settledAt) return
    this.#settledAt = epoch
    const oldest = oldestEpoch(window, epoch)
    for (const slot of this.#slots) {
      if (slot === undefined) continue
      if (slot.epoch < oldest) this.#takeOut(slot)
      else if (slot.epoch < epoch && !slot.summed) this.#sumUp(slot)
    }
  }

  /**
   * Moves what is still alive under `from` into slots of `to`. A slot goes where its newest measurement belongs, so
   * nothing young is lost and what is old stays for at most one old slot longer.
   */
  rewindow(from: Window, to: Window, now: number): void {
    const oldestBefore = oldestEpoch(from, epochAt(from, now))
    const live = this.#slots.filter((slot): slot is Slot => slot !== undefined && slot.epoch >= oldestBefore)
    this.recent.forgetUntil(oldestBefore * from.width - 1)
    this.#slots = []
    this.#slotBytes = 0
    this.#closed = emptyTotals()
    this.#settledAt = -Infinity
    this.#newest = -Infinity
    const oldest = oldestEpoch(to, epochAt(to, now))
    for (const slot of live) {
      const epoch = epochAt(to, slot.newest)
      if (epoch < oldest) continue
      const moved = this.#slotAt(to, epoch)
      add(moved, slot)
      moved.newest = Math.max(moved.newest, slot.newest)
      this.#newest = Math.max(this.#newest, epoch)
    }
  }

  #slotAt(window: Window, epoch: number): Slot {
    const position = positionOf(window, epoch)
    const slot = this.#slots[position]
    if (slot?.epoch === epoch) return slot
    if (slot === undefined) return (this.#slots[position] = emptySlot(epoch))
    this.#takeOut(slot)
    slot.epoch = epoch
    slot.newest = -Infinity
    slot.times.reset()
    slot.errors = 0
    slot.untimed = 0
    slot.statements = 0
    slot.sqlTime = 0
    return slot
  }

  #sumUp(slot: Slot): void {
    add(this.#closed, slot)
    slot.summed = true
    this.#weigh(slot)
  }

  #weigh(slot: Slot): void {
    this.#slotBytes -= slot.bytes
    slot.bytes = BYTES.slot + slot.times.bytes
    this.#slotBytes += slot.bytes
  }

  #takeOut(slot: Slot): void {
    if (!slot.summed) return
    slot.summed = false
    const { times } = this.#closed
    times.subtract(slot.times)
    this.#closed.errors -= slot.errors
    this.#closed.untimed -= slot.untimed
    this.#closed.statements -= slot.statements
    this.#closed.sqlTime -= slot.sqlTime
    if (slot.times.min > times.min && slot.times.max < times.max) return
    const left = this.#slots.filter(other => other?.summed)
    times.min = Math.min(Infinity, ...left.map(other => other?.times.min ?? Infinity))
    times.max = Math.max(0, ...left.map(other => other?.times.max ?? 0))
  }
}

/** How many elements V8 makes room for when an array grows to `length` at once. */
function roomFor(length: number): number {
  return length === 0 ? 0 : 1.5 * length + 16
}

function positionOf(window: Window, epoch: number): number {
  return ((epoch % window.slots) + window.slots) % window.slots
}

function emptyTotals(): Totals {
  return { times: new Sketch(), errors: 0, untimed: 0, statements: 0, sqlTime: 0 }
}

/** One literal: spread from `emptyTotals`, it would take 300 bytes more on Node 20. */
function emptySlot(epoch: number): Slot {
  return {
    times: new Sketch(),
    errors: 0,
    untimed: 0,
    statements: 0,
    sqlTime: 0,
    epoch,
    newest: -Infinity,
    summed: false,
    bytes: 0
  }
}

function add(into: Totals, from: Totals): void {
  into.times.merge(from.times)
  into.errors += from.errors
  into.untimed += from.untimed
  into.statements += from.statements
  into.sqlTime += from.sqlTime
}
