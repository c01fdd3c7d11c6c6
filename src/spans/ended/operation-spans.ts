import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Measurement } from '../measurement.js'
import type { RunningOperations } from '../operations.js'
import { traceIdOf } from '../running-operation.js'
import { operationOf } from '../sample.js'
import { measurementOf } from './measurements.js'
import type { OperationNames } from './operation-names.js'

export interface OperationSpanSink {
  readonly operations: RunningOperations
  operation(type: string, name: string, measurement: Measurement, statements: number): void
}

/** Records the spans that OpenTelemetry's GraphQL instrumentation makes of operations. */
export class OperationSpans {
  readonly #sink: OperationSpanSink
  readonly #names: OperationNames

  constructor(sink: OperationSpanSink, names: OperationNames) {
    this.#sink = sink
    this.#names = names
  }

  /**
   * Records the span of an operation that was neither measured by itself nor asked the monitor alone; returns whether it is
   * the span of an operation.
   */
  record(span: ReadableSpan): boolean {
    const operation = operationOf(span)
    if (operation === undefined) return false
    const running = this.#sink.operations.of(span)
    if (running?.isMeasured || running?.isOwn) return true
    const name = running?.seriesName ?? this.#names.of(span, operation)
    const measurement = measurementOf(span, traceIdOf(span, running))
    this.#sink.operation(operation.type, name, measurement, running?.statements ?? 0)
    return true
  }
}
