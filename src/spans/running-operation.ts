import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { TIMING_FIELD } from '../lib/names.js'
import { copyOf } from '../lib/text.js'
import { graphqlSourceOf } from './sample.js'

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
  seriesName: string | null | undefined = undefined
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

  queryStarted(): void {
    this.statements += 1
  }

  /** @param isOwn whether the resolver is the monitor's */
  resolverStarted(isOwn: boolean): void {
    if (isOwn) this.#ownResolvers += 1
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

/** The id of the trace that a span is in; `running` is the operation that it runs inside, where that is known. */
export function traceIdOf(span: ReadableSpan, running: RunningOperation | undefined): string {
  const { traceId } = span.spanContext()
  // Only an id that came from outside is a view on the header it came in.
  return span.parentSpanContext === undefined ? traceId : (running?.traceId ?? copyOf(traceId))
}
