import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { OperationSpans, type OperationSpanSink } from './ended/operation-spans.js'
import { QuerySpans, type QuerySpanSink } from './ended/query-spans.js'
import { ResolverSpans, type ResolverSpanSink } from './ended/resolver-spans.js'
import { INSTRUMENTATION_NAME, isSampled, resolverOf, sqlTextOf, type ResolverSpan } from './sample.js'
import { erase, scrub, type CleanStatement } from './scrub.js'
import type { SqlText } from './sql/statement.js'
import { ENDED, senderOf, SOURCE, type Tagged } from './tags.js'

/** What is said of a query of which nothing could be told. */
const UNREADABLE: CleanStatement = { operation: 'UNKNOWN', text: '?' }

/** Where measurements go, and what the processor shares with the rest of the monitor. */
export interface SpanSink extends ResolverSpanSink, QuerySpanSink, OperationSpanSink {
  /** False while measuring is switched off. */
  accepts(): boolean
  succeeded(): void
  /** Takes a fault of the monitor's own; must not throw. */
  caught(error: unknown): void
}

/**
 * Aggregates the spans of the GraphQL and Postgres instrumentations into the store, as they end. It exports nothing and
 * never throws: a processor that did would throw out of `span.end()` into the application.
 */
export class SpanAggregator implements SpanProcessor {
  readonly #sink: SpanSink
  readonly #resolvers: ResolverSpans
  readonly #queries: QuerySpans
  readonly #operations: OperationSpans
  constructor(sink: SpanSink) {
    this.#sink = sink
    this.#resolvers = new ResolverSpans(sink)
    this.#operations = new OperationSpans(sink)
    this.#queries = new QuerySpans(sink, this.#operations)
  }

  onStart(span: ReadableSpan, parentContext: Context): void {
    if (isOwn(span) || !this.#sink.accepts()) return
    const { spanStarts } = this.#sink.meter
    if (!spanStarts.choose()) {
      this.#started(span, parentContext)
      return
    }
    spanStarts.time(() => {
      this.#started(span, parentContext)
    })
  }

  /**
   * Records the span and takes secrets out of it. The SDK calls it right before any processor's `onEnd`, while the span
   * can still be changed; secrets go also while measuring is off.
   */
  onEnding(span: Span): void {
    // On the span: whoever hears of it may end others before `onEnd`.
    ;(span as Tagged)[ENDED] = true
    const { spanEnds } = this.#sink.meter
    if (!spanEnds.choose()) {
      this.#ending(span)
      return
    }
    spanEnds.time(() => {
      this.#ending(span)
    })
  }

  /** Records the span where the SDK is one that does not call `onEnding`. */
  onEnd(span: ReadableSpan): void {
    if ((span as Tagged)[ENDED] === true || isOwn(span)) return
    const { spanEnds } = this.#sink.meter
    if (!this.#sink.accepts()) this.#missed(span)
    else if (!spanEnds.choose()) this.#measure(span)
    else spanEnds.time(() => this.#measure(span))
    this.#sink.operations.queries.over(span)
  }

  forceFlush(): Promise<void> {
    return Promise.resolve()
  }

  shutdown(): Promise<void> {
    return Promise.resolve()
  }

  #started(span: ReadableSpan, parentContext: Context): void {
    try {
      this.#sink.operations.started(span, parentContext)
    } catch (error) {
      this.#sink.caught(error)
    }
  }

  #ending(span: Span): void {
    // What our own instrumentation exports it has measured itself.
    const statement = isOwn(span) ? undefined : this.#measure(span)
    if (isSampled(span)) {
      this.#scrub(span, statement)
    } else {
      const sender = senderOf(span)
      sender?.execution.kept?.spanEnded(span, sender.call)
    }
    this.#sink.operations.queries.over(span)
  }

  #scrub(span: Span, statement: CleanStatement | undefined): void {
    try {
      scrub(span, statement, isOwn(span) || (span as Tagged)[SOURCE] === true)
    } catch (error) {
      erase(span)
      this.#sink.caught(error)
    }
  }

  /** Records the span, if that is wanted, and returns its SQL without the literals, where that may leave. */
  #measure(span: ReadableSpan): CleanStatement | undefined {
    let statement: CleanStatement | undefined
    this.#queryEnded(span)
    try {
      const resolver = resolverOf(span)
      const text = resolver === undefined ? sqlTextOf(span) : undefined
      const isMeasuring = this.#sink.accepts()
      const counts = text !== undefined && isMeasuring && this.#queries.counts(span)
      // To read SQL is most of what is done: not for what neither counts nor leaves.
      const query = text !== undefined && (counts || isSampled(span)) ? this.#sink.sql.read(text) : undefined
      statement = query?.statement
      if (isMeasuring) {
        // That nothing had to be recorded ends no row of faults.
        if (this.#record(span, resolver, text, counts ? query : undefined)) this.#sink.succeeded()
        this.#sink.meter.spans += 1
      } else {
        this.#sink.lost()
      }
      return statement
    } catch (error) {
      this.#sink.caught(error)
      this.#sink.lost()
      return statement ?? UNREADABLE
    }
  }

  /** A query of a call that goes on ends for that call also while measuring is off. */
  #missed(span: ReadableSpan): void {
    this.#queryEnded(span)
    this.#sink.lost()
  }

  /** Whatever fails here, the span is measured, and leaves with its SQL cleaned. */
  #queryEnded(span: ReadableSpan): void {
    try {
      this.#sink.operations.queries.ended(span)
    } catch (error) {
      this.#sink.caught(error)
    }
  }

  /** Returns whether there was anything to record; `query` is undefined where it does not count. */
  #record(
    span: ReadableSpan,
    resolver: ResolverSpan | undefined,
    text: string | undefined,
    query: SqlText | undefined
  ): boolean {
    if (resolver !== undefined) this.#resolvers.record(span, resolver)
    else if (query !== undefined) this.#queries.record(span, query)
    else return text === undefined && this.#operations.record(span)
    return true
  }
}

function isOwn({ instrumentationScope }: ReadableSpan): boolean {
  return instrumentationScope.name === INSTRUMENTATION_NAME
}
