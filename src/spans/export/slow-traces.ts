import { isSpanContextValid, TraceFlags, type SpanContext } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Clock } from '../../lib/clock.js'
import type { ResolverCall } from '../resolvers/call.js'
import type { Execution } from '../resolvers/execution.js'
import type { KeptOperation } from '../resolvers/kept.js'
import { newSpanId } from '../resolvers/span-id.js'
import { INSTRUMENTATION_SCOPE, keptOperationAttributes, sqlTextOf } from '../sample.js'
import { scrub } from '../scrub.js'
import type { SqlAnalyzer } from '../sql/analyzer.js'
import type { AccountedProcessor } from './account.js'
import { movedBelow, spanOf } from './finished-span.js'

const MINUTE = 60e9

export interface SlowTracesOptions {
  readonly clock: Clock
  readonly exporters: readonly AccountedProcessor[]
  readonly resource: ReadableSpan['resource']
  readonly sql: () => SqlAnalyzer
  /** How many operations a minute are exported. */
  readonly perMinute: () => number
}

/** Exports operations that were not sampled, but were slow or failed: whole, with their calls and SQL. */
export class SlowTraces {
  readonly #options: SlowTracesOptions
  #minuteEnds = 0
  #exported = 0
  /** Milliseconds from the monotonic to the wall clock. */
  #wallOffset = 0

  constructor(options: SlowTracesOptions) {
    this.#options = options
  }

  /** Whether one more may be exported in this minute, so that it is worth to keep what operations do. */
  get hasRoom(): boolean {
    const now = this.#options.clock.monotonic()
    if (now >= this.#minuteEnds) {
      this.#minuteEnds = now + MINUTE
      this.#exported = 0
    }
    return this.#exported < this.#options.perMinute()
  }

  /**
   * Exports `execution`, which has just ended and took `duration` nanoseconds, unless too many were exported in this
   * minute.
   */
  export(execution: Execution, duration: number, failed: boolean): void {
    const { kept, trace } = execution
    if (kept === undefined || !this.hasRoom) return
    this.#exported += 1
    trace.isExported = true
    const { clock } = this.#options
    // Once for all, so that what was one inside the other still is.
    this.#wallOffset = clock.wall() - clock.monotonic() / 1e6
    const operation = contextOf(execution)
    const senders = this.#exportCalls(kept, operation)
    this.#exportQueries(kept, operation, senders)
    this.#exportOperation(execution, kept, operation, duration, failed)
  }

  /** Returns the spans of the calls that may have sent something. */
  #exportCalls(kept: KeptOperation, operation: SpanContext): Map<ResolverCall, SpanContext> {
    const senders = new Map<ResolverCall, SpanContext>()
    for (const { kind, endedAt, duration, failed, call } of kept.calls) {
      const context = { ...operation, spanId: newSpanId() }
      if (call !== undefined) senders.set(call, context)
      this.#new({ ...kind, context, parent: operation, endedAt, duration, failed })
    }
    return senders
  }

  #exportQueries(kept: KeptOperation, operation: SpanContext, senders: Map<ResolverCall, SpanContext>): void {
    for (const { span, call } of kept.queries) {
      const moved = movedBelow(span, (call && senders.get(call)) ?? operation)
      const text = sqlTextOf(span)
      scrub(moved, text === undefined ? undefined : this.#options.sql().analyze(text).text)
      for (const exporter of this.#options.exporters) exporter.reconsider(moved)
    }
  }

  #exportOperation(
    { facts, endedAt }: Execution,
    { droppedCalls }: KeptOperation,
    context: SpanContext,
    duration: number,
    failed: boolean
  ): void {
    const name = facts.name === undefined ? facts.type : `${facts.type} ${facts.name}`
    const attributes = keptOperationAttributes(facts, droppedCalls, failed)
    this.#new({ name, attributes, context, parent: undefined, endedAt, duration, failed })
  }

  #new(parts: Omit<Parameters<typeof spanOf>[0], 'scope' | 'resource'>): void {
    const { resource, exporters } = this.#options
    const endedAt = parts.endedAt / 1e6 + this.#wallOffset
    const span = spanOf({ ...parts, endedAt, resource, scope: INSTRUMENTATION_SCOPE })
    for (const exporter of exporters) exporter.onEnd(span)
  }
}

/** Its queries have been told the id of a span that nobody recorded; that span is made now. */
function contextOf({ span, trace }: Execution): SpanContext {
  const known = span.spanContext()
  const spanId = isSpanContextValid(known) ? known.spanId : newSpanId()
  return { traceId: trace.id, spanId, traceFlags: TraceFlags.SAMPLED }
}
