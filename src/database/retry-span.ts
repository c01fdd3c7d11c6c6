import { context, SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import type { RetryCause } from './counts.js'
import { codeOf } from './failure.js'

/** Not the scope of the operations and resolvers, which are measured elsewhere than in spans. */
const SCOPE = 'mercurius-performance.database'

export interface Retry {
  /** 2 for the first retry. */
  readonly attempt: number
  readonly cause: RetryCause
  /** Of the failure before it. */
  readonly code: string | undefined
}

/** Runs `attempt` in a span around what it sends, so that a trace tells retries from more of the same statement. */
export function inRetrySpan({ attempt: number, cause, code }: Retry, attempt: () => void): Span {
  const span = trace.getTracer(SCOPE).startSpan('database.retry', {
    attributes: {
      'mercurius_performance.attempt': number,
      'mercurius_performance.retry_cause': cause,
      ...(code !== undefined && { 'mercurius_performance.retried_error': code })
    }
  })
  context.with(trace.setSpan(context.active(), span), attempt)
  return span
}

export function endRetrySpan(span: Span, error: unknown): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: codeOf(error) ?? '' })
  span.end()
}
