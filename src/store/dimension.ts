import { copyOf } from '../lib/text.js'
import { BYTES } from './bytes.js'
import { Series } from './series.js'
import type { Sums } from './sums.js'
import type { Window } from './window.js'

/**
 * The name of the series that takes what comes after the limit. Somebody may give it to a cache; only the dimension
 * knows.
 */
export const OVERFLOW = '(other)'

/** What can be done to a series whatever it adds up. */
export interface AnySeries {
  isExpired(window: Window, now: number): boolean
  settle(window: Window, now: number): void
  rewindow(from: Window, to: Window, now: number): void
  bytes(window: Window, now: number): number
  /** Monotonic nanoseconds of its newest measurement. */
  readonly newest: number
}

/** A dimension whatever its series add up. */
export interface AnyDimension extends Iterable<AnySeries> {
  sweep(ask: (series: AnySeries) => 'keep' | 'forget'): Generator<void>
  bytes(window: Window, now: number): number
  /** Measurements that went to the overflow series, since the start. */
  readonly overflowed: number
}

/** What the series of a dimension are labelled with. */
export interface Labelling<Labels> {
  /** The labels of what comes after the limit. */
  readonly overflow: Labels
  /** What a series keeps of the labels that it is given, which may hold more, such as a client's whole document. */
  keptOf(labels: Labels): Labels
}

/**
 * A bounded set of series: after `limit` distinct keys every new key falls into one overflow series, so that every
 * measurement lands in exactly one. A `Map`, since a client may call a field or an operation `__proto__`.
 */
export class Dimension<Labels, Own extends Sums<Own>> implements AnyDimension {
  readonly #limit: number
  readonly #labelling: Labelling<Labels>
  readonly #newSums: () => Own
  readonly #now: () => number
  readonly #series = new Map<string, Series<Labels, Own>>()
  #overflow: Series<Labels, Own> | undefined
  overflowed = 0
  #rollsUp = false

  /** `newSums` makes what a new series adds up besides its times; `now` tells from when on it counts. */
  constructor(limit: number, labelling: Labelling<Labels>, newSums: () => Own, now: () => number) {
    this.#limit = limit
    this.#labelling = labelling
    this.#newSums = newSums
    this.#now = now
  }

  /** The series of `key`, to record one measurement in it; `name` and `labels` are used when it is new. */
  get(key: string, name: string, labels: Labels): Series<Labels, Own> {
    const found = this.#series.get(key)
    if (found !== undefined) return found
    if (this.#series.size >= this.#limit) {
      this.overflowed += 1
      return this.overflow
    }
    const created = this.#create(copyOf(name), this.#labelling.keptOf(labels))
    this.#series.set(key === name ? created.name : copyOf(key), created)
    return created
  }

  /** The overflow series, to add to it what another one has held. */
  get overflow(): Series<Labels, Own> {
    return (this.#overflow ??= this.#create(OVERFLOW, this.#labelling.overflow))
  }

  /** From now on nothing leaves a series before it was rolled up. */
  startRollingUp(): void {
    this.#rollsUp = true
    for (const series of this) series.startRollingUp()
  }

  stopRollingUp(): void {
    this.#rollsUp = false
    for (const series of this) series.stopRollingUp()
  }

  /** Takes the series of `key` out, if there is one. */
  take(key: string): Series<Labels, Own> | undefined {
    const found = this.#series.get(key)
    if (found !== undefined) this.#series.delete(key)
    return found
  }

  /** Asks of each series whether to keep it, one a step; the place of one that is forgotten is free again. */
  *sweep(ask: (series: AnySeries) => 'keep' | 'forget'): Generator<void> {
    for (const [key, series] of this.#series) {
      if (ask(series) === 'forget') this.take(key)?.forget()
      yield
    }
    if (this.#overflow === undefined || ask(this.#overflow) === 'keep') return
    this.#overflow.forget()
    this.#overflow = undefined
  }

  /** Whether `series` is the one that takes what comes after the limit. */
  isOverflow(series: object): boolean {
    return series === this.#overflow
  }

  /** Memory that its series take, an estimate. */
  bytes(window: Window, now: number): number {
    let bytes = this.#overflow?.bytes(window, now) ?? 0
    for (const [key, series] of this.#series) {
      bytes += series.bytes(window, now) + 2 * BYTES.text + key.length + series.name.length
    }
    return bytes
  }

  *[Symbol.iterator](): Generator<Series<Labels, Own>> {
    yield* this.#series.values()
    if (this.#overflow !== undefined) yield this.#overflow
  }

  #create(name: string, labels: Labels): Series<Labels, Own> {
    const created = new Series(name, labels, this.#newSums(), this.#now())
    if (this.#rollsUp) created.startRollingUp()
    return created
  }
}
