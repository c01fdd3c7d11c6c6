import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { startsQuery } from './sample.js'

/**
 * Between the span of an ORM and that of pg are few others. Spans that are started one inside the other and never end would
 * all be kept alive by the last one.
 */
const MOST_LEVELS = 16

/**
 * Where a span that runs is among others. ORMs make one around that of pg, with the same statement, and of queries inside
 * one another only one may count: pg's own, or else the innermost.
 */
export class Nesting {
  /** Whether a query that counts runs, or ran, inside it. */
  holdsQuery = false
  /** Whether it told by its name, as it started, that it is a query. */
  readonly isOfPg: boolean
  readonly #span: ReadableSpan
  #around: Nesting | undefined
  readonly #level: number
  #isOver = false

  constructor(span: ReadableSpan, around: Nesting | undefined) {
    const level = around === undefined ? 0 : around.#level + 1
    this.isOfPg = startsQuery(span)
    this.#span = span
    this.#around = level < MOST_LEVELS ? around : undefined
    this.#level = level % MOST_LEVELS
  }

  get isInsideOfPg(): boolean {
    for (let place = this.#around; place !== undefined; place = place.#around) if (place.isOfPg) return true
    return false
  }

  /** Takes note that it counts, so that none around it does; `takeBack` is told those that were counted as they started. */
  counts(takeBack: (span: ReadableSpan) => void): void {
    for (let place = this.#around; place?.holdsQuery === false; place = place.#around) {
      place.holdsQuery = true
      if (place.isOfPg && !place.#isOver) takeBack(place.#span)
    }
  }

  /** Nothing that was started inside it keeps alive what was around it. */
  over(): void {
    this.#isOver = true
    this.#around = undefined
  }
}
