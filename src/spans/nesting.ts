import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { startsQuery } from './sample.js'

/**
 * Between the span of an ORM and that of pg are few others. Spans that are started one inside the other and never end would
 * all be kept alive by the last one.
 */
const MOST_LEVELS = 16

/** Is told each span that was counted as it started and counts no more, since another one does. */
export type TakeBack = (span: ReadableSpan) => void

/**
 * Where a span that runs is among others. ORMs make one around that of pg, with the same statement, and of queries inside
 * one another only one may count: pg's own, or else the innermost that has ended.
 */
export class Nesting {
  /** Whether it told by its name, as it started, that it is a query. */
  readonly isOfPg: boolean
  /** Whether it is one that was counted as it started. */
  isCounted: boolean
  /** Undefined once it is over. */
  #span: ReadableSpan | undefined
  #around: Nesting | undefined
  /** Whether a query inside it has ended, or one around it counts in its place. */
  #isReplaced = false
  /** The query of pg that was started in it last. That of a cursor never ends. */
  #started: Nesting | undefined

  constructor(span: ReadableSpan, around: Nesting | undefined) {
    this.isOfPg = startsQuery(span)
    this.isCounted = this.isOfPg
    this.#span = span
    this.#around = around
    this.#forgetFarAround()
  }

  /** To be called for each that starts. */
  started(takeBack: TakeBack): void {
    if (!this.isOfPg) return
    for (let place = this.#around; place !== undefined; place = place.#around) {
      place.#started = this
      place.#uncount(takeBack)
    }
  }

  /** To be called for each that ends. */
  ended(): void {
    if (this.isOfPg) this.#replaceAround()
  }

  /** Whether it counts, being a query that has ended; from then on no other one inside or around it does. */
  counts(takeBack: TakeBack): boolean {
    if (this.#isReplaced || (!this.isOfPg && this.#isInsideOfPg)) return false
    this.#replaceAround()
    if (this.#started !== undefined) {
      this.#started.#isReplaced = true
      this.#started.#uncount(takeBack)
    }
    return true
  }

  /** To be called when `span` is over, if it is its own. Returns where something is that is started inside `span` later. */
  over(span: ReadableSpan): Nesting | undefined {
    if (span === this.#span) {
      this.#span = undefined
      this.#started = undefined
    }
    let place = this as Nesting | undefined
    while (place !== undefined && place.#span === undefined) place = place.#around
    return place
  }

  get #isInsideOfPg(): boolean {
    for (let place = this.#around; place !== undefined; place = place.#around) if (place.isOfPg) return true
    return false
  }

  #replaceAround(): void {
    for (let place = this.#around; place !== undefined; place = place.#around) place.#isReplaced = true
  }

  #uncount(takeBack: TakeBack): void {
    if (!this.isCounted || this.#span === undefined) return
    this.isCounted = false
    takeBack(this.#span)
  }

  /** From everywhere the nearest levels are seen, and none keeps more alive. */
  #forgetFarAround(): void {
    let place = this.#around
    for (let level = 1; level < MOST_LEVELS && place !== undefined; level += 1) place = place.#around
    if (place !== undefined) place.#around = undefined
  }
}
