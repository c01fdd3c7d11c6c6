import { SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import type { RetryCause } from './counts.js'
import { knownCodeOf } from './failure.js'

/** Not the scope of the operations and resolvers, which are measured elsewhere than in spans. */
const SCOPE = 'mercurius-performance.database'

export interface Retry {
  /** 2 for the first retry. */
  readonly attempt: number
  readonly cause: RetryCause
  /** Of the failure before it. */
  readonly code: string | undefined
}

/** A span around what an attempt sends, so that a trace tells retries from more of the same statement. */
export function startRetrySpan({ attempt, cause, code }: Retry): Span {
  return trace.getTracer(SCOPE).startSpan('database.retry', {
    attributes: {
      'mercurius_performance.attempt': attempt,
      'mercurius_performance.retry_cause': cause,
      ...(code !== undefined && { 'mercurius_performance.retried_error': code })
    }
  })
}

export function endRetrySpan(span: Span, error: unknown): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: knownCodeOf(error) ?? '' })
  span.end()
}
