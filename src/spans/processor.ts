import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { LRUCache } from 'lru-cache'
import { boundedName, copyOf } from '../lib/text.js'
import type { Measurement, QueryMeasurement, ResolverMeasurement } from './measurement.js'
import { senderOf, type RunningOperations, type Sender } from './operations.js'
import { anonymousName } from './resolvers/document.js'
import type { SelfMeasuring } from './self-measurement.js'
import {
  countArguments,
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
export interface SpanSink extends SelfMeasuring {
  readonly operations: RunningOperations
  readonly sql: SqlAnalyzer
  /** False while measuring is switched off. */
  accepts(): boolean
  resolver(name: string, measurement: ResolverMeasurement): void
  query(statement: Statement, measurement: QueryMeasurement): void
  /** Counts a call of a resolver that was not timed. */
  counted(name: string, failed: boolean): void
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
  /** The span that `onEnding` has recorded and `onEnd` need not. */
  #ended: ReadableSpan | undefined
  readonly #anonymous = new LRUCache<string, string>({ max: CACHED_SOURCES })

  constructor(sink: SpanSink) {
    this.#sink = sink
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
      const query = this.#queryOf(span)
      statement = query?.statement
      if (this.#sink.accepts()) {
        this.#record(span, query)
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

  #record(span: ReadableSpan, query: Query | undefined): void {
    const resolver = resolverOf(span)
    const operation = operationOf(span)
    if (resolver !== undefined) this.#recordResolver(span, resolver)
    else if (query !== undefined) this.#recordQuery(span, query)
    else if (operation !== undefined) this.#recordOperation(span, operation)
    // That nothing had to be recorded ends no row of faults.
    else return
    this.#sink.succeeded()
  }

  #queryOf(span: ReadableSpan): Query | undefined {
    const text = sqlTextOf(span)
    if (text === undefined) return undefined
    return { statement: this.#sink.sql.analyze(text), parameters: countParameters(text) }
  }

  #recordQuery(span: ReadableSpan, { statement, parameters }: Query): void {
    const sender = senderOf(span)
    const measurement =
      sender === undefined
        ? queryMeasurementOf(span, this.#traceIdOf(span), parameters, null, this.#operationNameOf(span))
        : sentQueryOf(span, parameters, sender)
    if (sender !== undefined) sender.execution.sqlTime += measurement.duration
    if (sender?.isQuery === false) this.#sink.operations.foundQuery(sender, measurement.duration)
    this.#sink.query(statement, measurement)
  }

  /** The name of the operation inside which a span runs; null where that is not known. */
  #operationNameOf(span: ReadableSpan): string | null {
    const running = this.#sink.operations.of(span)
    if (running === undefined) return null
    if (running.seriesName === undefined) {
      const operation = operationOf(running.span)
      running.seriesName = operation === undefined ? null : this.#seriesNameOf(running.span, operation)
    }
    return running.seriesName
  }

  #traceIdOf(span: ReadableSpan): string {
    const { traceId } = span.spanContext()
    // Only an id that came from outside is a view on the header it came in.
    return span.parentSpanContext === undefined ? traceId : (this.#sink.operations.of(span)?.traceId ?? copyOf(traceId))
  }

  #recordResolver(span: ReadableSpan, resolver: ResolverSpan): void {
    const running = this.#sink.operations.of(span)
    if (running?.isMeasured || this.#sink.operations.isOwn(resolver)) return
    const resolverName = `${resolver.parentType}.${resolver.field}`
    const isTimed = Math.random() * this.#sink.detail.sampleEvery < 1
    const measurement = isTimed
      ? measurementOf(span, this.#traceIdOf(span), countArguments(graphqlSourceOf(span)))
      : measurementOf(span, null, null)
    if (isTimed) this.#sink.resolver(resolverName, measurement)
    else this.#sink.counted(resolverName, measurement.failed)
    running?.resolved(span.spanContext().spanId, { executionTime: measurement.duration / 1e9, resolverName })
  }

  #recordOperation(span: ReadableSpan, operation: OperationSpan): void {
    const running = this.#sink.operations.of(span)
    if (running?.isMeasured || running?.isOwn) return
    const name = running?.seriesName ?? this.#seriesNameOf(span, operation)
    const measurement = measurementOf(span, this.#traceIdOf(span), null)
    this.#sink.operation(operation.type, name, measurement, running?.statements ?? 0)
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
