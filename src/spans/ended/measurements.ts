import { SpanStatusCode } from '@opentelemetry/api'
import { hrTimeToMilliseconds } from '@opentelemetry/core'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { systemClock } from '../../lib/clock.js'
import type { Measurement, QueryMeasurement, TraceId } from '../measurement.js'
import { rowsOf } from '../sample.js'

/** Milliseconds. */
const LONG_OVER = 2
/** Nanoseconds from where a span begins to where anybody hears of it. */
const UNHEARD = 1e5

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

/**
 * Nanoseconds since a span ended that was heard of `heardFor` nanoseconds ago. None where it ends right now: the wall clock
 * counts whole milliseconds, and may step. Prisma's engine tells of its queries when they are long over.
 */
export function endedAgo(span: ReadableSpan, heardFor: number): number {
  if (durationOf(span) < heardFor + UNHEARD) return 0
  const milliseconds = systemClock.wall() - hrTimeToMilliseconds(span.endTime)
  return milliseconds < LONG_OVER ? 0 : Math.round(milliseconds * 1e6)
}

export function hasFailed({ status }: ReadableSpan): boolean {
  return status.code === SpanStatusCode.ERROR
}
