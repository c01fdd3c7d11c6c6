import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { QueryMeasurement } from '../measurement.js'
import type { RunningOperations } from '../operations.js'
import { traceIdOf } from '../running-operation.js'
import type { SqlAnalyzer } from '../sql/analyzer.js'
import type { SqlText, Statement } from '../sql/statement.js'
import { senderOf, type Sender } from '../tags.js'
import { queryMeasurementOf } from './measurements.js'
import type { OperationSpans } from './operation-spans.js'

export interface QuerySpanSink {
  readonly operations: RunningOperations
  readonly sql: SqlAnalyzer
  query(statement: Statement, measurement: QueryMeasurement): void
}

/** Records the spans of SQL, for the resolver and the operation that sent it. */
export class QuerySpans {
  readonly #sink: QuerySpanSink
  readonly #spansOfOperations: OperationSpans

  constructor(sink: QuerySpanSink, spansOfOperations: OperationSpans) {
    this.#sink = sink
    this.#spansOfOperations = spansOfOperations
  }

  /** Whether a query counts, and not one inside or around it; to be asked once. */
  counts(span: ReadableSpan): boolean {
    return this.#sink.operations.queries.isStatement(span)
  }

  /** Records one that counts. */
  record(span: ReadableSpan, { statement, parameters }: SqlText): void {
    const { queries } = this.#sink.operations
    const sender = senderOf(span)
    const isCounted = queries.isCounted(span)
    const measurement =
      sender === undefined ? this.#withoutSender(span, isCounted, parameters) : sentBy(sender, span, parameters)
    if (sender !== undefined) sender.execution.sqlTime += measurement.duration
    if (sender !== undefined && !isCounted) queries.found(sender, measurement.duration)
    this.#sink.query(statement, measurement)
  }

  /** A query that was sent inside no execution that is measured by itself. */
  #withoutSender(span: ReadableSpan, isCounted: boolean, parameters: number): QueryMeasurement {
    const running = this.#sink.operations.of(span)
    const operation = running === undefined ? null : this.#spansOfOperations.nameOf(running)
    if (!isCounted) running?.queryStarted()
    return queryMeasurementOf(span, traceIdOf(span, running), parameters, null, operation)
  }
}

function sentBy({ execution, call }: Sender, span: ReadableSpan, parameters: number): QueryMeasurement {
  return queryMeasurementOf(span, execution.trace, parameters, call?.name ?? null, execution.facts.seriesName)
}
