import { SpanKind, SpanStatusCode, TraceFlags, type SpanContext, type SpanStatus } from '@opentelemetry/api'
import { millisToHrTime } from '@opentelemetry/core'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Scrubbable } from '../scrub.js'

export type FinishedSpan = ReadableSpan & Scrubbable

export interface SpanParts {
  readonly name: string
  readonly attributes: ReadableSpan['attributes']
  readonly scope: ReadableSpan['instrumentationScope']
  readonly resource: ReadableSpan['resource']
  readonly context: SpanContext
  readonly parent: SpanContext | undefined
  /** Milliseconds since 1970. */
  readonly endedAt: number
  /** Nanoseconds. */
  readonly duration: number
  readonly failed: boolean
}

/** A span of something that was not followed by one while it ran. */
export function spanOf(parts: SpanParts): FinishedSpan {
  const { name, attributes, scope, resource, context, parent, endedAt, duration, failed } = parts
  const milliseconds = duration / 1e6
  return withContext(
    {
      name,
      attributes,
      resource,
      kind: SpanKind.INTERNAL,
      startTime: millisToHrTime(endedAt - milliseconds),
      endTime: millisToHrTime(endedAt),
      duration: millisToHrTime(milliseconds),
      status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      events: [],
      links: [],
      ended: true,
      instrumentationScope: scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0
    },
    context,
    parent
  )
}

/** The same span in the trace of `parent`, as if it had been sampled. */
export function movedBelow(span: ReadableSpan, parent: SpanContext): FinishedSpan {
  const { spanId } = span.spanContext()
  // Not `{ ...span }`: what a span of the SDK says are in part getters.
  const { name, kind, startTime, endTime, duration, status, resource, instrumentationScope } = span
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span
  return withContext(
    {
      name,
      kind,
      startTime,
      endTime,
      duration,
      status,
      resource,
      instrumentationScope,
      droppedAttributesCount,
      droppedEventsCount,
      droppedLinksCount,
      attributes: { ...span.attributes },
      events: span.events.map(event => ({ ...event, attributes: { ...event.attributes } })),
      links: [...span.links],
      ended: true
    },
    { traceId: parent.traceId, spanId, traceFlags: TraceFlags.SAMPLED },
    parent
  )
}

function withContext(
  span: Omit<ReadableSpan, 'spanContext' | 'parentSpanContext'>,
  context: SpanContext,
  parent: SpanContext | undefined
): FinishedSpan {
  const finished = {
    ...span,
    ...(parent !== undefined && { parentSpanContext: parent }),
    spanContext: () => context,
    setStatus: (status: SpanStatus) => {
      finished.status = status
    },
    updateName: (name: string) => {
      finished.name = name
    }
  }
  return finished
}
