import { SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Measurement, QueryMeasurement, TraceId } from '../measurement.js'
import { rowsOf } from '../sample.js'

/** What a finished span cost. */
export function measurementOf(span: ReadableSpan, traceId: TraceId): Measurement {
  return { duration: durationOf(span), failed: hasFailed(span), argsCount: null, traceId }
}

/** What a finished span of a query cost. */
export function queryMeasurementOf(
  span: ReadableSpan,
  traceId: TraceId,
  argsCount: number,
  resolver: string | null,
  operation: string | null
): QueryMeasurement {
  const rows = rowsOf(span)
  return { duration: durationOf(span), failed: hasFailed(span), argsCount, traceId, rows, resolver, operation }
}

/** Nanoseconds. */
export function durationOf({ duration: [seconds, nanoseconds] }: ReadableSpan): number {
  return Math.max(0, Math.round(seconds * 1e9 + nanoseconds))
}

export function hasFailed({ status }: ReadableSpan): boolean {
  return status.code === SpanStatusCode.ERROR
}
