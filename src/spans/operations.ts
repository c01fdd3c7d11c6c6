import { trace, type Context, type Span } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { isOwnField, TIMING_FIELD } from '../lib/names.js'
import { copyOf } from '../lib/text.js'
import { LeanSpan, type ResolverCall } from './resolvers/call.js'
import { graphqlSourceOf, resolverOf, startsOperation, startsQuery } from './sample.js'

/** What the `_performance` field answers. */
export interface FieldTiming {
  /** Seconds. */
  readonly executionTime: number
  /** `Type.field`. */
  readonly resolverName: string
}

/** What is known of one running operation; it lives as long as the spans that point to it. */
export class RunningOperation {
  readonly span: ReadableSpan
  /** The name of its series; undefined until somebody has asked for it. */
  seriesName: string | null | undefined
  #timings: Map<string, FieldTiming> | undefined
  #wantsTimings: boolean | undefined
  /** SQL statements sent so far. */
  statements = 0
  /** A copy of its own: an id that came in a header is a view that keeps the whole header alive. */
  readonly traceId: string
  /** Whether the execution was measured itself, so that its spans must not be counted. */
  isMeasured = false
  #ownResolvers = 0
  #otherResolvers = 0

  constructor(span: ReadableSpan) {
    this.span = span
    this.traceId = copyOf(span.spanContext().traceId)
  }

  /** Whether it asked the monitor and nothing else. */
  get isOwn(): boolean {
    return this.#ownResolvers > 0 && this.#otherResolvers === 0
  }

  /** Takes note of a span that starts inside it. */
  started(span: ReadableSpan): void {
    if (startsQuery(span)) {
      this.statements += 1
      return
    }
    const resolver = resolverOf(span)
    if (resolver === undefined) return
    if (isOwnField(resolver.parentType, resolver.field)) this.#ownResolvers += 1
    else this.#otherResolvers += 1
  }

  /** Remembers the time of a resolver call, if the operation selects `_performance` at all. */
  resolved(spanId: string, timing: FieldTiming): void {
    this.#wantsTimings ??= graphqlSourceOf(this.span).includes(TIMING_FIELD)
    if (this.#wantsTimings) (this.#timings ??= new Map()).set(spanId, timing)
  }

  timingOf(spanId: string): FieldTiming | undefined {
    return this.#timings?.get(spanId)
  }
}

const OPERATION = Symbol('mercurius-performance.operation')
const CALL = Symbol('mercurius-performance.call')

interface Tagged {
  [OPERATION]?: RunningOperation
  /** The resolver call inside which the span runs. */
  [CALL]?: ResolverCall
}

/** Says of the active execution span, if there is one, that its operation is measured already. */
export function markMeasured(span: Span | undefined): void {
  const operation = (span as Tagged | undefined)?.[OPERATION]
  if (operation) operation.isMeasured = true
}

/** Says that `span` is the one of `call`, so that what starts inside belongs to it. */
export function markCall(span: Span, call: ResolverCall): void {
  ;(span as Tagged)[CALL] = call
}

/** The resolver call that a span runs inside. */
export function callOf(span: ReadableSpan): ResolverCall | undefined {
  return (span as Tagged)[CALL]
}

/**
 * Which operation each running span belongs to. The span itself carries it: a WeakMap of spans grows with traffic until
 * a full garbage collection and does not shrink again.
 */
export class RunningOperations {
  /** How many executions that are measured themselves are starting right now, one inside the other. */
  executing = 0

  started(span: ReadableSpan, parentContext: Context): void {
    if (startsOperation(span)) {
      const operation = new RunningOperation(span)
      operation.isMeasured = this.executing > 0
      ;(span as Tagged)[OPERATION] = operation
      return
    }
    const parent = trace.getSpan(parentContext)
    const call = parent instanceof LeanSpan ? parent.call : (parent as Tagged | undefined)?.[CALL]
    if (call !== undefined) {
      ;(span as Tagged)[CALL] = call
      if (startsQuery(span)) call.queryStarted()
    }
    const operation = (parent as Tagged | undefined)?.[OPERATION]
    if (operation === undefined) return
    ;(span as Tagged)[OPERATION] = operation
    operation.started(span)
  }

  of(span: ReadableSpan): RunningOperation | undefined {
    return (span as Tagged)[OPERATION]
  }

  /** The time of the resolver call that returned the object whose field is being resolved now. */
  currentTiming(): FieldTiming | undefined {
    const span = trace.getActiveSpan() as (Partial<ReadableSpan> & Tagged) | undefined
    const parent = span?.parentSpanContext?.spanId
    return span === undefined || parent === undefined ? undefined : span[OPERATION]?.timingOf(parent)
  }
}
