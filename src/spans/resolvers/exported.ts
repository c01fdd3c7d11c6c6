import type { Span } from '@opentelemetry/api'
import { DROPPED_RESOLVER_SPANS } from '../sample.js'

/** What only those operations have that are exported. */
export class ExportedOperation {
  /** Its span, or the one that it runs inside; once it is over, what tells no more than the ids. */
  span: Span
  /** Milliseconds from `performance.now()` to the wall clock; one for all spans, so that what was inside another still is. */
  readonly wallOffset = Date.now() - performance.now()
  #calls = 0
  #droppedCalls = 0

  constructor(span: Span) {
    this.span = span
  }

  /** Counts a call; returns whether it is exported too, as at most `limit` are. */
  takeCall(limit: number): boolean {
    if (this.#calls < limit) {
      this.#calls += 1
      return true
    }
    this.#droppedCalls += 1
    return false
  }

  /** To be called before the span ends. */
  ending(): void {
    if (this.#droppedCalls > 0) this.span.setAttribute(DROPPED_RESOLVER_SPANS, this.#droppedCalls)
  }
}
