import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { ResolverCall } from './call.js'
import type { SpanKindOfResolver } from './span.js'

const SPAN_LIMIT = 1000
/** Of a call: when it ended, how long it took, whether it failed. */
const NUMBERS = 3

export interface KeptCall {
  readonly kind: SpanKindOfResolver
  /** Monotonic nanoseconds. */
  readonly endedAt: number
  /** Nanoseconds. */
  readonly duration: number
  readonly failed: boolean
  /** The call itself, where it may have sent something. */
  readonly call: ResolverCall | undefined
}

export interface KeptSpan {
  readonly span: ReadableSpan
  /** The call that started it, where one is known. */
  readonly call: ResolverCall | undefined
}

/**
 * What an operation did that is not sampled, until it is known whether it was slow or failed. Of a call only numbers are
 * written down: most operations are neither, and what is kept of them is for nothing.
 */
export class KeptOperation {
  readonly #limit: number
  readonly #kinds: SpanKindOfResolver[] = []
  readonly #senders: (ResolverCall | undefined)[] = []
  readonly #numbers: number[] = []
  /** Spans that ended inside it, such as those of its SQL. */
  readonly spans: KeptSpan[] = []
  /** Calls that came after the limit, or that nobody timed. */
  droppedCalls = 0
  /** Spans that came after the limit. */
  droppedSpans = 0

  /** `limit` is how many calls are kept. */
  constructor(limit: number) {
    this.#limit = limit
  }

  ended(call: ResolverCall, endedAt: number, duration: number, failed: boolean): void {
    if (this.#kinds.length >= this.#limit) {
      this.droppedCalls += 1
      return
    }
    this.#kinds.push(call.recorder.kind)
    // One that only computes is used again for the next call.
    this.#senders.push(call.waits === undefined && !call.hasContext ? undefined : call)
    this.#numbers.push(endedAt, duration, failed ? 1 : 0)
  }

  spanEnded(span: ReadableSpan, call: ResolverCall | undefined): void {
    if (this.spans.length < SPAN_LIMIT) this.spans.push({ span, call })
    else this.droppedSpans += 1
  }

  /** How many spans it would be exported as. */
  get size(): number {
    return 1 + this.#kinds.length + this.spans.length
  }

  /** In the order in which they ended. */
  get calls(): KeptCall[] {
    return this.#kinds.map((kind, index) => ({
      kind,
      endedAt: this.#numbers[NUMBERS * index] ?? 0,
      duration: this.#numbers[NUMBERS * index + 1] ?? 0,
      failed: this.#numbers[NUMBERS * index + 2] === 1,
      call: this.#senders[index]
    }))
  }
}
