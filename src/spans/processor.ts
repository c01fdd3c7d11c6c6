import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { LRUCache } from 'lru-cache'
import { isOwnField } from '../lib/names.js'
import { boundedName, shortHash } from '../lib/text.js'
import type { Measurement } from './measurement.js'
import type { RunningOperation, RunningOperations } from './operations.js'
import {
  countArguments,
  countParameters,
  graphqlSourceOf,
  measurementOf,
  operationOf,
  redactSql,
  resolverOf,
  sqlTextOf,
  type OperationSpan,
  type ResolverSpan
} from './sample.js'
import type { SqlAnalyzer, Statement } from './sql/analyzer.js'

const NAME_LIMIT = 128
const CACHED_SOURCES = 200
const LONGEST_CACHED_SOURCE = 4096

/** Where measurements go, and what the processor shares with the rest of the monitor. */
export interface SpanSink {
  readonly operations: RunningOperations
  readonly sql: SqlAnalyzer
  /** False while measuring is switched off. */
  accepts(): boolean
  resolver(name: string, measurement: Measurement): void
  query(statement: Statement, measurement: Measurement): void
  operation(type: string, name: string, measurement: Measurement, statements: number): void
  succeeded(): void
  /** Takes a fault of the monitor's own; must not throw. */
  caught(error: unknown): void
}

interface QuerySpan {
  readonly span: ReadableSpan
  readonly statement: Statement
  readonly parameters: number
}

/**
 * Aggregates the spans of the GraphQL and Postgres instrumentations into the store, as they end. It exports nothing and
 * never throws: a processor that did would throw out of `span.end()` into the application.
 */
export class SpanAggregator implements SpanProcessor {
  readonly #sink: SpanSink
  #ending: QuerySpan | undefined
  readonly #anonymous = new LRUCache<string, string>({ max: CACHED_SOURCES })

  constructor(sink: SpanSink) {
    this.#sink = sink
  }

  onStart(span: ReadableSpan, parentContext: Context): void {
    if (!this.#sink.accepts()) return
    try {
      this.#sink.operations.started(span, parentContext)
    } catch (error) {
      this.#sink.caught(error)
    }
  }

  /**
   * Takes literals out of the SQL before any processor exports the span, also while measuring is off. The SDK calls it
   * right before `onEnd`, so the statement found here serves there too.
   */
  onEnding(span: Span): void {
    const text = sqlTextOf(span)
    if (text === undefined) return
    let redacted = '?'
    try {
      const statement = this.#sink.sql.analyze(text)
      this.#ending = { span, statement, parameters: countParameters(text) }
      redacted = statement.text
    } catch (error) {
      this.#sink.caught(error)
    }
    redactSql(span, redacted)
  }

  onEnd(span: ReadableSpan): void {
    if (!this.#sink.accepts()) return
    try {
      this.#record(span)
      this.#sink.succeeded()
    } catch (error) {
      this.#sink.caught(error)
    }
  }

  forceFlush(): Promise<void> {
    return Promise.resolve()
  }

  shutdown(): Promise<void> {
    return Promise.resolve()
  }

  #record(span: ReadableSpan): void {
    const resolver = resolverOf(span)
    if (resolver !== undefined) {
      this.#recordResolver(span, resolver)
      return
    }
    const query = this.#queryOf(span)
    if (query !== undefined) {
      this.#sink.query(query.statement, measurementOf(span, query.parameters))
      return
    }
    const operation = operationOf(span)
    if (operation !== undefined) this.#recordOperation(span, operation)
  }

  #queryOf(span: ReadableSpan): QuerySpan | undefined {
    const ending = this.#ending
    this.#ending = undefined
    if (ending?.span === span) return ending
    const text = sqlTextOf(span)
    if (text === undefined) return undefined
    return { span, statement: this.#sink.sql.analyze(text), parameters: countParameters(text) }
  }

  #recordResolver(span: ReadableSpan, { parentType, field }: ResolverSpan): void {
    const operation = this.#sink.operations.of(span)
    if (isOwnField(parentType, field)) {
      if (operation) operation.ownResolvers += 1
      return
    }
    const resolverName = `${parentType}.${field}`
    const measurement = measurementOf(span, countArguments(graphqlSourceOf(span)))
    this.#sink.resolver(resolverName, measurement)
    if (operation === undefined) return
    operation.resolvers += 1
    operation.resolved(span.spanContext().spanId, () => ({ executionTime: measurement.duration / 1e9, resolverName }))
  }

  #recordOperation(span: ReadableSpan, { type, name }: OperationSpan): void {
    const running: RunningOperation | undefined = this.#sink.operations.of(span)
    if (running?.isOwn) return
    const known = name === undefined ? this.#nameOf(graphqlSourceOf(span)) : boundedName(name, NAME_LIMIT)
    this.#sink.operation(type, known, measurementOf(span, null), running?.statements ?? 0)
  }

  /** The name of an anonymous operation: a hash of its text, in which literals are already replaced. */
  #nameOf(source: string): string {
    const known = this.#anonymous.get(source)
    if (known !== undefined) return known
    const name = `anonymous ${shortHash(source.replaceAll(/\s+/g, ' '))}`
    if (source.length <= LONGEST_CACHED_SOURCE) this.#anonymous.set(source, name)
    return name
  }
}
