import { BYTES } from './bytes.js'
import type { RollingUp } from './rollup.js'
import { Sketch } from './sketch.js'
import { addTotals, clearTotals, type Sums, type Totals } from './sums.js'
import { epochAt, oldestEpoch, type Window, type Windows } from './window.js'

export interface Slot<Own> extends Totals<Own> {
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

/**
 * What a series holds, in slots of time. A write touches one slot; there are at most as many as the window has. The slots
 * whose time is over are kept summed up, so that a read adds two sketches and not sixty. What leaves the window goes on
 * counting in one sketch more, so that what a series has held since it began only grows. A class of its own and no object
 * of its own, which would be 100 bytes more for each name of a flood.
 */
export abstract class Slots<Own extends Sums<Own>> {
  /** In no order; the ones that are too old are used again. */
  protected slots: Slot<Own>[] = []
  /** The slot of the newest measurement. */
  protected current: Slot<Own> | undefined = undefined
  /** The sum of the closed slots. */
  protected readonly closed: Totals<Own>
  /** Made when something expires for the first time: most names of a flood never live so long. */
  protected expired: Expired | undefined = undefined
  protected rolling: RollingUp<Own> | undefined = undefined
  /** Up to when measurements belong to the newest slot, as far as that is known without a look at the window. */
  #currentUntil = -Infinity
  /** The epoch for which the sum of the closed slots is right. */
  #settledAt = -Infinity
  /** What the slots take, as last looked at. */
  #slotBytes = 0

  /** `sums` is where it adds up what it has besides its times. */
  constructor(sums: Own) {
    this.closed = { times: new Sketch(), errors: 0, untimed: 0, sums }
  }

  /** Monotonic nanoseconds of the newest measurement, of whatever age; -Infinity where there is none. */
  get newest(): number {
    return Math.max(this.expired?.newest ?? -Infinity, this.current?.newest ?? -Infinity)
  }

  /** Whether nothing in it is young enough to be reported. */
  isExpired(window: Window, now: number): boolean {
    return this.current === undefined || this.current.epoch < oldestEpoch(window, epochAt(window, now))
  }

  /** Sums up the slots that have closed and takes out those that are too old. Does nothing twice in one slot. */
  settle(window: Window, now: number): void {
    const epoch = epochAt(window, now)
    if (epoch === this.#settledAt) return
    this.#settledAt = epoch
    this.#currentUntil = -Infinity
    const oldest = oldestEpoch(window, epoch)
    for (const slot of this.slots) {
      if (slot.epoch < oldest) this.#empty(slot)
      else if (slot.epoch < epoch && !slot.summed) this.#sumUp(slot)
    }
  }

  /** Adds what was measured elsewhere, around `at`, if that is not too old to be reported. */
  restore(window: Window, at: number, now: number, totals: Totals<Own>): void {
    this.settle(window, now)
    const epoch = epochAt(window, at)
    if (epoch < oldestEpoch(window, epochAt(window, now))) return
    const slot = this.#slotAt(window, epoch)
    addTotals(slot, totals)
    slot.newest = Math.max(slot.newest, at)
    if (slot.summed) addTotals(this.closed, totals)
    else if (epoch < this.#settledAt) this.#sumUp(slot)
    if (this.current === undefined || epoch > this.current.epoch) this.current = slot
  }

  /** The slot for something measured at `now`. */
  protected slotOf(windows: Windows, now: number): Slot<Own> {
    const slot =
      this.current !== undefined && now < this.#currentUntil ? this.current : this.#openSlot(windows.at(now), now)
    if (now > slot.newest) slot.newest = now
    return slot
  }

  /** Lets go of everything. */
  protected letGo(): void {
    this.rolling?.forget()
    this.rolling = undefined
    for (const { sums } of this.slots) sums.reset()
    this.#beginAnew()
    this.closed.times.clear()
    this.expired = undefined
  }

  protected expireBefore(oldest: number): void {
    for (const slot of this.slots) if (slot.epoch < oldest) this.#empty(slot)
  }

  protected expire({ times, errors, newest }: Expired): void {
    const expired = (this.expired ??= { times: new Sketch(), errors: 0, newest })
    expired.times.merge(times)
    expired.errors += errors
    expired.newest = Math.max(expired.newest, newest)
  }

  /** Puts what `slots` hold into new ones of `window`, each where its newest measurement belongs. */
  protected rebuild(slots: readonly Slot<Own>[], window: Window, now: number): void {
    const before = this.slots
    this.#beginAnew()
    const oldest = oldestEpoch(window, epochAt(window, now))
    for (const slot of slots) {
      if (isEmpty(slot)) continue
      const epoch = epochAt(window, slot.newest)
      if (epoch < oldest) {
        this.expire(slot)
        this.rolling?.left(slot)
        continue
      }
      const moved = this.#slotAt(window, epoch)
      addTotals(moved, slot)
      moved.newest = Math.max(moved.newest, slot.newest)
      if (this.current === undefined || epoch > this.current.epoch) this.current = moved
    }
    for (const slot of before) clearTotals(slot)
  }

  /** Memory that the slots and their sums take, an estimate. Closed ones do not change: it looks at one and not at sixty. */
  protected slotBytes(window: Window, now: number): number {
    this.settle(window, now)
    if (this.current !== undefined) this.#weigh(this.current)
    const closed = this.closed.times.bytes + this.closed.sums.bytes
    const expired = this.expired === undefined ? 0 : BYTES.expired + this.expired.times.bytes
    return closed + expired + (this.rolling?.bytes ?? 0) + roomFor(this.slots.length) * BYTES.element + this.#slotBytes
  }

  /** Without any slots. */
  #beginAnew(): void {
    this.slots = []
    this.current = undefined
    this.#currentUntil = -Infinity
    this.#settledAt = -Infinity
    this.#slotBytes = 0
    clearTotals(this.closed)
  }

  #openSlot(window: Window, now: number): Slot<Own> {
    // A measurement that comes late belongs to no slot that is summed up already.
    const epoch = Math.max(epochAt(window, now), this.#settledAt)
    let slot = this.current
    if (slot === undefined || slot.epoch < epoch) slot = this.current = this.#slotAt(window, epoch)
    this.#currentUntil = (slot.epoch + 1) * window.width
    return slot
  }

  #slotAt(window: Window, epoch: number): Slot<Own> {
    const oldest = oldestEpoch(window, epoch)
    let old: Slot<Own> | undefined
    for (const slot of this.slots) {
      if (slot.epoch === epoch) return slot
      if (slot.epoch < oldest) old = slot
    }
    if (old !== undefined) {
      this.#empty(old)
      old.epoch = epoch
      return old
    }
    const sums = this.closed.sums.another()
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
    if (this.slots.length === 0) this.slots = [created]
    else this.slots.push(created)
    return created
  }

  #sumUp(slot: Slot<Own>): void {
    addTotals(this.closed, slot)
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
    this.expire(slot)
    this.rolling?.left(slot)
    if (slot.summed) {
      slot.summed = false
      const left = (): Slot<Own>[] => this.slots.filter(other => other.summed)
      this.closed.errors -= slot.errors
      this.closed.untimed -= slot.untimed
      this.closed.times.subtract(slot.times, () => left().map(({ times }) => times))
      this.closed.sums.subtract(slot.sums, () => left().map(({ sums }) => sums))
    }
    slot.newest = -Infinity
    clearTotals(slot)
  }
}

/** How many elements V8 makes room for in a list that grew to `length`, one after the other. */
function roomFor(length: number): number {
  return length <= 1 ? length : 1.25 * length + 16
}

export function isEmpty<Own>({ newest }: Slot<Own>): boolean {
  return newest === -Infinity
}
