import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { LRUCache } from 'lru-cache'
import type { Measurement } from '../measurement.js'
import type { RunningOperations } from '../operations.js'
import { anonymousName, boundedOperationName } from '../resolvers/document.js'
import { traceIdOf, type RunningOperation } from '../running-operation.js'
import { graphqlSourceOf, operationOf, type OperationSpan } from '../sample.js'
import { measurementOf } from './measurements.js'

const CACHED_SOURCES = 200
const LONGEST_CACHED_SOURCE = 4096

export interface OperationSpanSink {
  readonly operations: RunningOperations
  operation(type: string, name: string, measurement: Measurement, statements: number): void
}

/** Records the spans that OpenTelemetry's GraphQL instrumentation makes of operations, and names their series. */
export class OperationSpans {
  readonly #sink: OperationSpanSink
  readonly #anonymous = new LRUCache<string, string>({ max: CACHED_SOURCES })

  constructor(sink: OperationSpanSink) {
    this.#sink = sink
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
    const name = running?.seriesName ?? this.#seriesNameOf(span, operation)
    const measurement = measurementOf(span, traceIdOf(span, running))
    this.#sink.operation(operation.type, name, measurement, running?.statements ?? 0)
    return true
  }

  /** The name of the series of an operation that runs; null where its span is none of one that is known. */
  nameOf(running: RunningOperation): string | null {
    if (running.seriesName === undefined) {
      const operation = operationOf(running.span)
      running.seriesName = operation === undefined ? null : this.#seriesNameOf(running.span, operation)
    }
    return running.seriesName
  }

  #seriesNameOf(span: ReadableSpan, { name }: OperationSpan): string {
    return name === undefined ? this.#anonymousName(graphqlSourceOf(span)) : boundedOperationName(name)
  }

  #anonymousName(source: string): string {
    const known = this.#anonymous.get(source)
    if (known !== undefined) return known
    const name = anonymousName(source)
    if (source.length <= LONGEST_CACHED_SOURCE) this.#anonymous.set(source, name)
    return name
  }
}
