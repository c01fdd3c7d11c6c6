import { copyOf } from '../lib/text.js'
import { BYTES } from './bytes.js'
import { Series } from './series.js'
import type { Window } from './window.js'

/** The name of the series that takes what comes after the limit. No GraphQL name and no plain SQL name looks like it. */
export const OVERFLOW = '(other)'

/**
 * A bounded set of series: after `limit` distinct keys every new key falls into one overflow series, so that every
 * measurement lands in exactly one. A `Map`, since a client may call a field or an operation `__proto__`.
 */
export class Dimension<Labels> {
  readonly #limit: number
  readonly #overflowLabels: Labels
  readonly #series = new Map<string, Series<Labels>>()
  #overflow: Series<Labels> | undefined
  /** Measurements that went to the overflow series, since the start. */
  overflowed = 0

  constructor(limit: number, overflowLabels: Labels) {
    this.#limit = limit
    this.#overflowLabels = overflowLabels
  }

  /** The series of `key`, to record one measurement in it; `name` and `labels` are used when it is new. */
  get(key: string, name: string, labels: Labels): Series<Labels> {
    const found = this.#series.get(key)
    if (found !== undefined) return found
    if (this.#series.size >= this.#limit) {
      this.overflowed += 1
      return (this.#overflow ??= new Series(OVERFLOW, this.#overflowLabels))
    }
    const created = new Series(copyOf(name), labels)
    this.#series.set(copyOf(key), created)
    return created
  }

  /** Asks of each series whether to keep it, one a step; the place of one that is forgotten is free again. */
  *sweep(ask: (series: Series<Labels>) => 'keep' | 'forget'): Generator<void> {
    for (const [key, series] of this.#series) {
      if (ask(series) === 'forget') this.#series.delete(key)
      yield
    }
    if (this.#overflow !== undefined && ask(this.#overflow) === 'forget') this.#overflow = undefined
  }

  /** Memory that its series take, an estimate. */
  bytes(window: Window, now: number): number {
    let bytes = this.#overflow?.bytes(window, now) ?? 0
    for (const [key, series] of this.#series) {
      bytes += series.bytes(window, now) + 2 * BYTES.text + key.length + series.name.length
    }
    return bytes
  }

  *[Symbol.iterator](): Generator<Series<Labels>> {
    yield* this.#series.values()
    if (this.#overflow !== undefined) yield this.#overflow
  }
}
