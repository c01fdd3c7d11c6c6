import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { LRUCache } from 'lru-cache'
import { boundedName } from '../lib/text.js'
import type { Measurement, QueryMeasurement } from './measurement.js'
import { senderOf, type Sender } from './operations.js'
import { ResolverSpans, type ResolverSpanSink } from './resolver-spans.js'
import { anonymousName } from './resolvers/document.js'
import { traceIdOf, type RunningOperation } from './running-operation.js'
import {
  countParameters,
  graphqlSourceOf,
  INSTRUMENTATION_NAME,
  isSampled,
  measurementOf,
  operationOf,
  queryMeasurementOf,
  resolverOf,
  sqlTextOf,
  type OperationSpan,
  type ResolverSpan
} from './sample.js'
import { erase, scrub, type CleanStatement } from './scrub.js'
import type { SqlAnalyzer, Statement } from './sql/analyzer.js'

const NAME_LIMIT = 128
/** What is said of a query of which nothing could be told. */
const UNREADABLE: CleanStatement = { operation: 'UNKNOWN', text: '?' }
const CACHED_SOURCES = 200
const LONGEST_CACHED_SOURCE = 4096

/** Where measurements go, and what the processor shares with the rest of the monitor. */
export interface SpanSink extends ResolverSpanSink {
  readonly sql: SqlAnalyzer
  /** False while measuring is switched off. */
  accepts(): boolean
  query(statement: Statement, measurement: QueryMeasurement): void
  operation(type: string, name: string, measurement: Measurement, statements: number): void
  succeeded(): void
  /** Takes a fault of the monitor's own; must not throw. */
  caught(error: unknown): void
}

interface Query {
  readonly statement: Statement
  readonly parameters: number
}

/**
 * Aggregates the spans of the GraphQL and Postgres instrumentations into the store, as they end. It exports nothing and
 * never throws: a processor that did would throw out of `span.end()` into the application.
 */
export class SpanAggregator implements SpanProcessor {
  readonly #sink: SpanSink
  readonly #resolvers: ResolverSpans
  /** The span that `onEnding` has recorded and `onEnd` need not. */
  #ended: ReadableSpan | undefined
  readonly #anonymous = new LRUCache<string, string>({ max: CACHED_SOURCES })

  constructor(sink: SpanSink) {
    this.#sink = sink
    this.#resolvers = new ResolverSpans(sink)
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
    this.#ended = span
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
    const isRecorded = this.#ended === span
    this.#ended = undefined
    if (isRecorded || isOwn(span)) return
    if (!this.#sink.accepts()) {
      this.#sink.lost()
      return
    }
    const { spanEnds } = this.#sink.meter
    if (!spanEnds.choose()) {
      this.#measure(span)
      return
    }
    spanEnds.time(() => {
      this.#measure(span)
    })
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
    if (!isSampled(span)) {
      const sender = senderOf(span)
      sender?.execution.kept?.spanEnded(span, sender.call)
      return
    }
    try {
      scrub(span, statement)
    } catch (error) {
      erase(span)
      this.#sink.caught(error)
    }
  }

  /** Records the span, if that is wanted, and returns its SQL without the literals. */
  #measure(span: ReadableSpan): CleanStatement | undefined {
    let statement: CleanStatement | undefined
    try {
      this.#sink.operations.ended(span)
    } catch (error) {
      // The span leaves all the same, with its SQL, which has to be cleaned.
      this.#sink.caught(error)
    }
    try {
      const resolver = resolverOf(span)
      const query = resolver === undefined ? this.#queryOf(span) : undefined
      statement = query?.statement
      if (this.#sink.accepts()) {
        this.#record(span, resolver, query)
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

  #record(span: ReadableSpan, resolver: ResolverSpan | undefined, query: Query | undefined): void {
    if (resolver !== undefined) this.#resolvers.record(span, resolver)
    else if (query !== undefined) this.#recordQuery(span, query)
    // That nothing had to be recorded ends no row of faults.
    else if (!this.#recordOperation(span)) return
    this.#sink.succeeded()
  }

  #queryOf(span: ReadableSpan): Query | undefined {
    const text = sqlTextOf(span)
    if (text === undefined) return undefined
    return { statement: this.#sink.sql.analyze(text), parameters: countParameters(text) }
  }

  #recordQuery(span: ReadableSpan, { statement, parameters }: Query): void {
    const sender = senderOf(span)
    const running = this.#sink.operations.of(span)
    const measurement =
      sender === undefined
        ? queryMeasurementOf(span, traceIdOf(span, running), parameters, null, this.#operationNameOf(running))
        : sentQueryOf(span, parameters, sender)
    if (sender !== undefined) sender.execution.sqlTime += measurement.duration
    if (sender?.isQuery === false) this.#sink.operations.foundQuery(sender, measurement.duration)
    this.#sink.query(statement, measurement)
  }

  /** The name of the operation inside which a span runs; null where that is not known. */
  #operationNameOf(running: RunningOperation | undefined): string | null {
    if (running === undefined) return null
    if (running.seriesName === undefined) {
      const operation = operationOf(running.span)
      running.seriesName = operation === undefined ? null : this.#seriesNameOf(running.span, operation)
    }
    return running.seriesName
  }

  /** Whether it is the span of one. */
  #recordOperation(span: ReadableSpan): boolean {
    const operation = operationOf(span)
    if (operation === undefined) return false
    const running = this.#sink.operations.of(span)
    if (running?.isMeasured || running?.isOwn) return true
    const name = running?.seriesName ?? this.#seriesNameOf(span, operation)
    const measurement = measurementOf(span, traceIdOf(span, running))
    this.#sink.operation(operation.type, name, measurement, running?.statements ?? 0)
    return true
  }

  #seriesNameOf(span: ReadableSpan, { name }: OperationSpan): string {
    return name === undefined ? this.#anonymousName(graphqlSourceOf(span)) : boundedName(name, NAME_LIMIT)
  }

  #anonymousName(source: string): string {
    const known = this.#anonymous.get(source)
    if (known !== undefined) return known
    const name = anonymousName(source)
    if (source.length <= LONGEST_CACHED_SOURCE) this.#anonymous.set(source, name)
    return name
  }
}

function isOwn({ instrumentationScope }: ReadableSpan): boolean {
  return instrumentationScope.name === INSTRUMENTATION_NAME
}

function sentQueryOf(span: ReadableSpan, parameters: number, { execution, call }: Sender): QueryMeasurement {
  return queryMeasurementOf(span, execution.trace, parameters, call?.name ?? null, execution.facts.seriesName)
}
