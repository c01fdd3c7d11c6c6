import type { TraceId } from '../spans/measurement.js'
import { BYTES } from './bytes.js'
import type { Merger } from './quantiles.js'
import { RecentCalls } from './recent.js'
import { RollingUp, type Rollup } from './rollup.js'
import { Sketch } from './sketch.js'
import { addTotals, clearTotals, type Sums, type Totals } from './sums.js'
import { epochAt, oldestEpoch, type Window, type Windows } from './window.js'

interface Slot<Own> extends Totals<Own> {
  epoch: number
  /** Monotonic nanoseconds of its newest measurement. */
  newest: number
  /** Whether it is part of the sum of closed slots. */
  summed: boolean
  /** Memory that it takes, as last looked at. */
  bytes: number
}

/** What has become too old to be reported, and is only still part of what was ever measured. */
interface Expired {
  readonly times: Sketch
  errors: number
  /** Monotonic nanoseconds of its newest measurement. */
  newest: number
}

/** What a series adds up to besides its times. */
export interface ReadTotals<Own> {
  readonly errors: number
  readonly untimed: number
  /** Those of the closed slots and, where there is one, of the open slot. */
  readonly sums: readonly Own[]
}

/**
 * The measurements of one name. A write touches one slot; there are at most as many as the window has. The slots whose
 * time is over are kept summed up, so that a read adds two sketches and not sixty. What leaves the window goes on
 * counting in one sketch more, so that what a series has held since it began only grows.
 */
export class Series<Labels, Own extends Sums<Own>> {
  readonly name: string
  readonly labels: Labels
  /** Monotonic nanoseconds of the moment from which on it counts. */
  start: number
  readonly recent = new RecentCalls()
  /** How many calls the one that was recorded last stands for. */
  weight = 1
  /** Whether it is out of its dimension, so that what is recorded in it is lost. */
  isForgotten = false
  /** In no order; the ones that are too old are used again. */
  #slots: Slot<Own>[] = []
  /** The slot of the newest measurement. */
  #current: Slot<Own> | undefined
  /** Up to when measurements belong there, as far as that is known without a look at the window. */
  #currentUntil = -Infinity
  /** The sum of the closed slots. */
  readonly #closed: Totals<Own>
  /** Made when something expires for the first time: most names of a flood never live so long. */
  #expired: Expired | undefined
  /** The epoch for which `#closed` is right. */
  #settledAt = -Infinity
  /** What the slots take, as last looked at. */
  #slotBytes = 0
  /** The extremes since it was rolled up last: a difference of sketches does not tell them. */
  #low = Infinity
  #high = 0
  #rolling: RollingUp<Own> | undefined

  /** `sums` is where it adds up what it has besides its times; it counts from `start` on. */
  constructor(name: string, labels: Labels, sums: Own, start: number) {
    this.name = name
    this.labels = labels
    this.start = start
    this.#closed = { times: new Sketch(), errors: 0, untimed: 0, sums }
  }

  /**
   * Adds a call that ended at `now`; returns the sums that it belongs to. An object for it would be most of its cost.
   */
  record(
    windows: Windows,
    now: number,
    duration: number,
    failed: boolean,
    argsCount: number | null,
    traceId: TraceId
  ): Own {
    const slot = this.#slotOf(windows, now)
    this.weight = 1 + slot.untimed
    if (duration < this.#low) this.#low = duration
    if (duration > this.#high) this.#high = duration
    slot.times.record(duration, this.weight)
    slot.untimed = 0
    if (failed) slot.errors += 1
    this.recent.add(now, duration, failed, argsCount, traceId)
    return slot.sums
  }

  /**
   * Counts a call that nobody timed. The next one of its slot that is timed stands for it too, so that times from
   * before and from during sampling mix in the right proportion. `now` may be a little old.
   */
  count(windows: Windows, now: number, failed: boolean): Own {
    const slot = this.#slotOf(windows, now)
    slot.untimed += 1
    if (failed) slot.errors += 1
    return slot.sums
  }

  /** The sums of now, to add what belongs to a call that was recorded before. */
  sums(windows: Windows, now: number): Own {
    return this.#slotOf(windows, now).sums
  }

  /** Adds the live slots to `merger`, which the caller has cleared. */
  read(window: Window, now: number, merger: Merger): ReadTotals<Own> {
    this.settle(window, now)
    const closed = this.#closed
    merger.add(closed.times)
    const current = this.#current
    const { errors, untimed, sums } = closed
    if (current?.epoch !== epochAt(window, now)) return { errors, untimed, sums: [sums] }
    merger.add(current.times)
    return { errors: errors + current.errors, untimed: untimed + current.untimed, sums: [sums, current.sums] }
  }

  /**
   * Adds everything since `start` to `merger`, which the caller has cleared, and returns the errors. Calls that no time
   * stands for yet are not in the sketches.
   */
  readLifetime(window: Window, now: number, merger: Merger): number {
    this.settle(window, now)
    const parts = [this.#expired, this.#closed, ...this.#slots.filter(slot => !slot.summed)]
    let errors = 0
    for (const part of parts) {
      if (part === undefined) continue
      merger.add(part.times)
      errors += part.errors
    }
    return errors
  }

  /** From now on whatever leaves the window is kept until it has been rolled up. */
  startRollingUp(): void {
    this.#rolling ??= new RollingUp(this.#closed.sums)
  }

  stopRollingUp(): void {
    this.#rolling?.forget()
    this.#rolling = undefined
  }

  /** What came since it was rolled up last; undefined where nothing did, and of a series that is not rolled up. */
  rollUp(window: Window, now: number): Rollup<Own> | undefined {
    this.settle(window, now)
    const held = [this.#closed, ...this.#slots.filter(slot => !slot.summed && !isEmpty(slot))]
    const rollup = this.#rolling?.take(held, this.#low, this.#high)
    this.#low = Infinity
    this.#high = 0
    return rollup
  }

  /** Adds what was measured elsewhere, around `at`, if that is not too old to be reported. */
  restore(window: Window, at: number, now: number, rollup: Rollup<Own>): void {
    this.settle(window, now)
    const epoch = epochAt(window, at)
    if (epoch < oldestEpoch(window, epochAt(window, now))) return
    const slot = this.#slotAt(window, epoch)
    addTotals(slot, rollup)
    slot.newest = Math.max(slot.newest, at)
    if (slot.summed) addTotals(this.#closed, rollup)
    else if (epoch < this.#settledAt) this.#sumUp(slot)
    if (this.#current === undefined || epoch > this.#current.epoch) this.#current = slot
  }

  /** Monotonic nanoseconds of the newest measurement, of whatever age; -Infinity where there is none. */
  get newest(): number {
    return Math.max(this.#expired?.newest ?? -Infinity, this.#current?.newest ?? -Infinity)
  }

  /** Memory that it takes, an estimate. Closed slots do not change, so it looks at one slot and not at sixty. */
  bytes(window: Window, now: number): number {
    this.settle(window, now)
    if (this.#current !== undefined) this.#weigh(this.#current)
    const closed = this.#closed.times.bytes + this.#closed.sums.bytes
    const expired = this.#expired === undefined ? 0 : BYTES.expired + this.#expired.times.bytes
    return (
      BYTES.series +
      closed +
      expired +
      (this.#rolling?.bytes ?? 0) +
      this.recent.bytes +
      roomFor(this.#slots.length) * BYTES.element +
      this.#slotBytes
    )
  }

  /** Whether nothing in it is young enough to be reported. */
  isExpired(window: Window, now: number): boolean {
    return this.#current === undefined || this.#current.epoch < oldestEpoch(window, epochAt(window, now))
  }

  /** Sums up the slots that have closed and takes out those that are too old. Does nothing twice in one slot. */
  settle(window: Window, now: number): void {
    const epoch = epochAt(window, now)
    if (epoch === this.#settledAt) return
    this.#settledAt = epoch
    this.#currentUntil = -Infinity
    const oldest = oldestEpoch(window, epoch)
    for (const slot of this.#slots) {
      if (slot.epoch < oldest) this.#empty(slot)
      else if (slot.epoch < epoch && !slot.summed) this.#sumUp(slot)
    }
  }

  /**
   * Moves what is still alive under `from` into slots of `to`. A slot goes where its newest measurement belongs, so
   * nothing young is lost and what is old stays for at most one old slot longer.
   */
  rewindow(from: Window, to: Window, now: number): void {
    const oldest = oldestEpoch(from, epochAt(from, now))
    this.recent.forgetUntil(oldest * from.width - 1)
    this.#expireBefore(oldest)
    this.#rebuild(this.#slots, to, now)
  }

  /** Takes over all that `other` holds, which has turned out to be the same. */
  absorb(other: Series<Labels, Own>, window: Window, now: number): void {
    const oldest = oldestEpoch(window, epochAt(window, now))
    this.recent.absorb(other.recent)
    this.start = Math.min(this.start, other.start)
    this.#expireBefore(oldest)
    other.#expireBefore(oldest)
    if (other.#expired !== undefined) this.#expire(other.#expired)
    if (other.#rolling !== undefined) {
      this.startRollingUp()
      this.#rolling?.absorb(other.#rolling)
    }
    this.#low = Math.min(this.#low, other.#low)
    this.#high = Math.max(this.#high, other.#high)
    this.#rebuild([...this.#slots, ...other.#slots], window, now)
    other.forget()
  }

  /** Gives back what its sums hold of something shared; to be called when it is used no more. */
  forget(): void {
    this.isForgotten = true
    this.#closed.sums.reset()
    this.#rolling?.forget()
    for (const { sums } of this.#slots) sums.reset()
  }

  #expireBefore(oldest: number): void {
    for (const slot of this.#slots) if (slot.epoch < oldest) this.#empty(slot)
  }

  #expire({ times, errors, newest }: Expired): void {
    const expired = (this.#expired ??= { times: new Sketch(), errors: 0, newest })
    expired.times.merge(times)
    expired.errors += errors
    expired.newest = Math.max(expired.newest, newest)
  }

  /** Puts what `slots` hold into new ones of `window`. */
  #rebuild(slots: readonly Slot<Own>[], window: Window, now: number): void {
    const before = this.#slots
    this.#slots = []
    this.#current = undefined
    this.#currentUntil = -Infinity
    this.#slotBytes = 0
    this.#settledAt = -Infinity
    clearTotals(this.#closed)
    const oldest = oldestEpoch(window, epochAt(window, now))
    for (const slot of slots) {
      if (isEmpty(slot)) continue
      const epoch = epochAt(window, slot.newest)
      if (epoch < oldest) {
        this.#expire(slot)
        this.#rolling?.left(slot)
        continue
      }
      const moved = this.#slotAt(window, epoch)
      addTotals(moved, slot)
      moved.newest = Math.max(moved.newest, slot.newest)
      if (this.#current === undefined || epoch > this.#current.epoch) this.#current = moved
    }
    for (const slot of before) clearTotals(slot)
  }

  #slotOf(windows: Windows, now: number): Slot<Own> {
    const slot =
      this.#current !== undefined && now < this.#currentUntil ? this.#current : this.#openSlot(windows.at(now), now)
    if (now > slot.newest) slot.newest = now
    return slot
  }

  #openSlot(window: Window, now: number): Slot<Own> {
    // A measurement that comes late belongs to no slot that is summed up already.
    const epoch = Math.max(epochAt(window, now), this.#settledAt)
    let slot = this.#current
    if (slot === undefined || slot.epoch < epoch) slot = this.#current = this.#slotAt(window, epoch)
    this.#currentUntil = (slot.epoch + 1) * window.width
    return slot
  }

  #slotAt(window: Window, epoch: number): Slot<Own> {
    const oldest = oldestEpoch(window, epoch)
    let old: Slot<Own> | undefined
    for (const slot of this.#slots) {
      if (slot.epoch === epoch) return slot
      if (slot.epoch < oldest) old = slot
    }
    if (old !== undefined) {
      this.#empty(old)
      old.epoch = epoch
      return old
    }
    const sums = this.#closed.sums.another()
    const created = {
      times: new Sketch(),
      errors: 0,
      untimed: 0,
      sums,
      epoch,
      newest: -Infinity,
      summed: false,
      bytes: 0
    }
    // A list that begins with its first item has no room to spare; most names of a flood have one slot.
    if (this.#slots.length === 0) this.#slots = [created]
    else this.#slots.push(created)
    return created
  }

  #sumUp(slot: Slot<Own>): void {
    addTotals(this.#closed, slot)
    slot.summed = true
    this.#weigh(slot)
  }

  #weigh(slot: Slot<Own>): void {
    this.#slotBytes -= slot.bytes
    slot.bytes = BYTES.slot + slot.times.bytes + slot.sums.bytes
    this.#slotBytes += slot.bytes
  }

  #empty(slot: Slot<Own>): void {
    if (isEmpty(slot)) return
    this.#expire(slot)
    this.#rolling?.left(slot)
    if (slot.summed) {
      slot.summed = false
      const left = (): Slot<Own>[] => this.#slots.filter(other => other.summed)
      this.#closed.errors -= slot.errors
      this.#closed.untimed -= slot.untimed
      this.#closed.times.subtract(slot.times, () => left().map(({ times }) => times))
      this.#closed.sums.subtract(slot.sums, () => left().map(({ sums }) => sums))
    }
    slot.newest = -Infinity
    clearTotals(slot)
  }
}

/** How many elements V8 makes room for in a list that grew to `length`, one after the other. */
function roomFor(length: number): number {
  return length <= 1 ? length : 1.25 * length + 16
}

function isEmpty<Own>({ newest }: Slot<Own>): boolean {
  return newest === -Infinity
}
