import { TraceFlags, type SpanContext } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { Clock } from '../../lib/clock.js'
import type { ResolverCall } from '../resolvers/call.js'
import type { Execution } from '../resolvers/execution.js'
import { KeptOperation } from '../resolvers/kept.js'
import type { ExecutionEnd } from '../resolvers/sinks.js'
import { newSpanId } from '../resolvers/span-id.js'
import { INSTRUMENTATION_SCOPE, keptOperationAttributes, sqlTextOf } from '../sample.js'
import { scrub } from '../scrub.js'
import type { SqlAnalyzer } from '../sql/analyzer.js'
import { SOURCE, type Tagged } from '../tags.js'
import type { AccountedProcessor } from './accounted-processor.js'
import { Allowance } from './allowance.js'
import { movedBelow, spanOf, type FinishedSpan, type SpanParts } from './finished-span.js'

/** Operations that run at the same time and are kept; all others are not, so that a jam does not fill the memory. */
const KEPT_LIMIT = 500

export interface SlowTracesOptions {
  readonly clock: Clock
  readonly exporters: readonly AccountedProcessor[]
  readonly resource: ReadableSpan['resource']
  readonly sql: () => SqlAnalyzer
  /** How many operations a minute are exported. */
  readonly perMinute: () => number
  /** Takes a fault of the monitor's own; must not throw. */
  readonly caught: (error: unknown) => void
}

/** Exports operations that were not sampled, but were slow or failed: with the calls and the spans inside them. */
export class SlowTraces {
  readonly #options: SlowTracesOptions
  readonly #allowance: Allowance
  #kept = 0

  constructor(options: SlowTracesOptions) {
    this.#options = options
    this.#allowance = new Allowance(options.clock, options.perMinute)
  }

  keep(calls: number): KeptOperation | undefined {
    if (this.#kept >= KEPT_LIMIT || !this.#allowance.isLeft) return undefined
    this.#kept += 1
    return new KeptOperation(calls)
  }

  ended(execution: Execution, wanted: ExecutionEnd | undefined): void {
    const { kept } = execution
    if (kept === undefined) return
    // A context value may live longer than its operation, and with it the execution.
    execution.kept = undefined
    this.#kept -= 1
    // Half a trace would look like a whole one.
    if (wanted === undefined || this.#options.exporters.some(({ room }) => room < kept.size)) return
    if (!this.#allowance.take()) return
    try {
      this.#export(execution, kept, wanted)
    } catch (error) {
      this.#options.caught(error)
    }
  }

  #export(execution: Execution, kept: KeptOperation, end: ExecutionEnd): void {
    const { clock, resource } = this.#options
    // Once for all, so that what was one inside the other still is.
    const wallOffset = clock.wall() - clock.monotonic() / 1e6
    const make = (parts: NewSpan): void => {
      const endedAt = parts.endedAt / 1e6 + wallOffset
      this.#exportNew(spanOf({ ...parts, endedAt, resource, scope: INSTRUMENTATION_SCOPE }))
    }
    execution.trace.isExported = true
    // Not the id of the span that nobody recorded: a request may hold several operations, and be that span to all of them.
    const operation = { traceId: execution.trace.id, spanId: newSpanId(), traceFlags: TraceFlags.SAMPLED }
    make(partsOf(execution, kept, operation, end))
    const senders = new Map<ResolverCall, SpanContext>()
    for (const { kind, endedAt, duration, failed, call } of kept.calls) {
      const context = { ...operation, spanId: newSpanId() }
      if (call !== undefined) senders.set(call, context)
      make({ ...kind, context, parent: operation, endedAt, duration, failed })
    }
    this.#exportSpans(kept, operation, senders)
  }

  /** Each below the span that it was started in, if that is exported too, else below its call or the operation. */
  #exportSpans({ spans }: KeptOperation, operation: SpanContext, senders: Map<ResolverCall, SpanContext>): void {
    const ids = new Set(spans.map(({ span }) => span.spanContext().spanId))
    for (const { span, call } of spans) {
      const above = span.parentSpanContext?.spanId
      const parent =
        above !== undefined && ids.has(above)
          ? { ...operation, spanId: above }
          : ((call && senders.get(call)) ?? operation)
      const moved = movedBelow(span, parent)
      const text = sqlTextOf(span)
      const statement = text === undefined ? undefined : this.#options.sql().analyze(text)
      scrub(moved, statement, (span as Tagged)[SOURCE] === true)
      for (const exporter of this.#options.exporters) exporter.reconsider(moved)
    }
  }

  #exportNew(span: FinishedSpan): void {
    scrub(span, undefined, true)
    for (const exporter of this.#options.exporters) exporter.onEnd(span)
  }
}

/** `endedAt` in monotonic nanoseconds. */
type NewSpan = Omit<SpanParts, 'scope' | 'resource'>

function partsOf(
  { facts, duration }: Execution,
  kept: KeptOperation,
  context: SpanContext,
  { endedAt, failed }: ExecutionEnd
): NewSpan {
  const { type, source } = facts
  const name = facts.name === undefined ? undefined : facts.seriesName
  const attributes = keptOperationAttributes({ type, name, source }, kept, failed)
  const title = name === undefined ? type : `${type} ${name}`
  return { name: title, attributes, context, parent: undefined, endedAt, duration, failed }
}
