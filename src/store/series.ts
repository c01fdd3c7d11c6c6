import type { TraceId } from '../spans/measurement.js'
import { BYTES } from './bytes.js'
import type { Merger } from './quantiles.js'
import { RecentCalls } from './recent.js'
import { RollingUp, type Rollup } from './rollup.js'
import { isEmpty, Slots } from './slots.js'
import type { Sums } from './sums.js'
import { epochAt, oldestEpoch, type Window, type Windows } from './window.js'

/** What a series adds up to besides its times. */
export interface ReadTotals<Own> {
  readonly errors: number
  readonly untimed: number
  /** Those of the closed slots and, where there is one, of the open slot. */
  readonly sums: readonly Own[]
}

/** The measurements of one name. */
export class Series<Labels, Own extends Sums<Own>> extends Slots<Own> {
  readonly name: string
  readonly labels: Labels
  /** Monotonic nanoseconds of the moment from which on it counts. */
  start: number
  recent = new RecentCalls()
  /** How many calls the one that was recorded last stands for. */
  weight = 1
  /** Whether it is out of its dimension, so that what is recorded in it is lost. */
  isForgotten = false
  /** The extremes since it was rolled up last: a difference of sketches does not tell them. */
  #low = Infinity
  #high = 0

  /** `sums` is where it adds up what it has besides its times; it counts from `start` on. */
  constructor(name: string, labels: Labels, sums: Own, start: number) {
    super(sums)
    this.name = name
    this.labels = labels
    this.start = start
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
    const slot = this.slotOf(windows, now)
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
    const slot = this.slotOf(windows, now)
    slot.untimed += 1
    if (failed) slot.errors += 1
    return slot.sums
  }

  /** The sums of now, to add what belongs to a call that was recorded before. */
  sums(windows: Windows, now: number): Own {
    return this.slotOf(windows, now).sums
  }

  /** Adds the live slots to `merger`, which the caller has cleared. */
  read(window: Window, now: number, merger: Merger): ReadTotals<Own> {
    this.settle(window, now)
    const closed = this.closed
    merger.add(closed.times)
    const current = this.current
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
    const parts = [this.expired, this.closed, ...this.slots.filter(slot => !slot.summed)]
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
    this.rolling ??= new RollingUp(this.closed.sums)
  }

  stopRollingUp(): void {
    this.rolling?.forget()
    this.rolling = undefined
  }

  /** What came since it was rolled up last; undefined where nothing did, and of a series that is not rolled up. */
  rollUp(window: Window, now: number): Rollup<Own> | undefined {
    this.settle(window, now)
    const held = [this.closed, ...this.slots.filter(slot => !slot.summed && !isEmpty(slot))]
    const rollup = this.rolling?.take(held, this.#low, this.#high)
    this.#low = Infinity
    this.#high = 0
    return rollup
  }

  /** Memory that it takes, an estimate. */
  bytes(window: Window, now: number): number {
    return BYTES.series + this.recent.bytes + this.slotBytes(window, now)
  }

  /**
   * Moves what is still alive under `from` into slots of `to`. A slot goes where its newest measurement belongs, so
   * nothing young is lost and what is old stays for at most one old slot longer.
   */
  rewindow(from: Window, to: Window, now: number): void {
    const oldest = oldestEpoch(from, epochAt(from, now))
    this.recent.forgetUntil(oldest * from.width - 1)
    this.expireBefore(oldest)
    this.rebuild(this.slots, to, now)
  }

  /** Takes over all that `other` holds, which has turned out to be the same. */
  absorb(other: Series<Labels, Own>, window: Window, now: number): void {
    const oldest = oldestEpoch(window, epochAt(window, now))
    this.recent.absorb(other.recent)
    this.start = Math.min(this.start, other.start)
    this.expireBefore(oldest)
    other.expireBefore(oldest)
    if (other.expired !== undefined) this.expire(other.expired)
    if (other.rolling !== undefined) {
      this.startRollingUp()
      this.rolling?.absorb(other.rolling)
    }
    this.#low = Math.min(this.#low, other.#low)
    this.#high = Math.max(this.#high, other.#high)
    this.rebuild([...this.slots, ...other.slots], window, now)
    other.forget()
  }

  /**
   * Gives back what its sums hold of something shared, and lets go of all else: whoever knows the series may do so for long.
   * To be called when it is used no more.
   */
  forget(): void {
    this.isForgotten = true
    this.recent = new RecentCalls()
    this.letGo()
  }
}
