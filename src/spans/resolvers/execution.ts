import {
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Span
} from '@opentelemetry/api'
import { isTracingSuppressed } from '@opentelemetry/core'
import { copyOf } from '../../lib/text.js'
import type { ContextFrame } from '../context-frames.js'
import type { EnterableContext } from '../context-manager.js'
import type { FieldTiming } from '../running-operation.js'
import { isSampled } from '../sample.js'
import { ResolverCall } from './call.js'
import { CALL_KEY, EXECUTION_KEY, LayeredContext, SPAN_KEY } from './contexts.js'
import type { OperationFacts } from './document.js'
import { ExportedOperation } from './exported.js'
import type { KeptOperation } from './kept.js'
import { TraceReference } from './trace-id.js'

/** A step of the path to a field in the answer, as graphql-js and graphql-jit both make it. */
export interface Path {
  readonly prev: Path | undefined
  readonly key: string | number
}

export interface ExecutionOptions {
  /** Whether it is counted; without, it only makes the spans that are exported. Default: true. */
  readonly isMeasured?: boolean
  readonly isExporting: boolean
  /** Whether contexts can be entered without a function; see `ResolverSink.contexts`. */
  readonly entersDirectly: boolean
}

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)

/**
 * One operation that is being executed. It holds nothing of the request but what its document says, and is itself the
 * OpenTelemetry context in which the contexts of its calls stand.
 */
export class Execution implements EnterableContext {
  readonly facts: OperationFacts
  /** Whether it and its calls are counted, and not only exported. */
  readonly isMeasured: boolean
  readonly trace: TraceReference
  /** The span that the operation runs inside, such as its own; one that says nothing where there is none. */
  span: Span
  /** What it has where it is exported. */
  readonly exported: ExportedOperation | undefined
  /** The call inside which the operation is executed, where a resolver executes a document. */
  parentCall: ResolverCall | undefined
  /** What it did so far, where it is not sampled and may have to be exported all the same; undefined once it is over. */
  kept: KeptOperation | undefined = undefined
  /** Whether its calls are measured, neither exported nor inside another one, and it tells nothing of them while it runs. */
  readonly isPlain: boolean
  /** Whether its calls have to be told where in the answer they are, or cannot be begun and ended from outside. */
  readonly isSpecial: boolean
  /** SQL statements sent so far. */
  statements = 0
  /** Nanoseconds that they took, one by one. */
  sqlTime = 0
  /** Nanoseconds that it took; 0 while it runs. */
  duration = 0
  isRunning = false
  /** Running executions that were given the same context value later. */
  sharers = 0
  /** The execution whose context value this one was given too; null where its value is none that could be marked. */
  sharesWith: Execution | null | undefined = undefined
  frame: ContextFrame | undefined = undefined
  frameAround: ContextFrame | undefined = undefined
  /** What it runs inside. */
  outer: Context
  #timings: Map<string, FieldTiming | undefined> | undefined

  constructor(
    facts: OperationFacts,
    { isMeasured = true, isExporting, entersDirectly }: ExecutionOptions,
    within: Context
  ) {
    const outer = within === ROOT_CONTEXT ? within : living(within)
    // Most often there is nothing, and to be told so by the context would be much of what is done here.
    const isAlone = outer === ROOT_CONTEXT
    const span = isAlone ? undefined : trace.getSpan(outer)
    const active = span?.spanContext()
    this.facts = facts
    this.isMeasured = isMeasured
    this.outer = outer
    this.trace = new TraceReference(active && isSpanContextValid(active) ? copyOf(active.traceId) : undefined)
    // Not undefined: OpenTelemetry's instrumentation of pg keeps a context only for callbacks that run inside a span.
    this.span = span ?? NO_SPAN
    this.exported =
      isExporting && span !== undefined && isSampled(span) && !isTracingSuppressed(outer)
        ? new ExportedOperation(span)
        : undefined
    this.trace.isExported = this.exported !== undefined
    this.parentCall = isAlone ? undefined : (outer.getValue(CALL_KEY) as ResolverCall | undefined)
    this.isPlain = isMeasured && this.exported === undefined && this.parentCall === undefined && !facts.wantsTimings
    this.isSpecial = facts.wantsTimings || !entersDirectly
  }

  getValue(key: symbol): unknown {
    if (key === EXECUTION_KEY) return this
    if (key === SPAN_KEY) return this.span === NO_SPAN ? undefined : this.span
    if (key === CALL_KEY) return this.parentCall?.isOver === true ? undefined : this.parentCall
    // A loop: of operations inside one another there may be more than the stack has room for.
    let around = this.outer
    for (;;) {
      if (around instanceof ResolverCall) around = around.execution
      else if (around instanceof Execution) around = around.outer
      else if (around instanceof LayeredContext && !around.has(key)) around = around.below
      else return around.getValue(key)
    }
  }

  setValue(key: symbol, value: unknown): Context {
    return new LayeredContext(this, new Map([[key, value]]))
  }

  deleteValue(key: symbol): Context {
    return new LayeredContext(this, new Map([[key, undefined]]))
  }

  /** Holds on to nothing around it that is over; returns what it runs inside. */
  letGo(): Context {
    this.outer = outsideOver(this.outer)
    if (this.parentCall?.isOver === true) this.parentCall = undefined
    return this.outer
  }

  /**
   * To be called once it is over: keeps only the ids of the span around it. One that never ends belongs to the operation that
   * started it, and each would keep alive the one before.
   */
  letGoOfSpan(): void {
    if (this.span === NO_SPAN) return
    this.span = trace.wrapSpanContext(this.span.spanContext())
    if (this.exported !== undefined) this.exported.span = this.span
    if (this.outer instanceof LayeredContext && this.outer.has(SPAN_KEY)) {
      this.outer = this.outer.setValue(SPAN_KEY, this.span)
    }
  }

  /** Remembers the time of the resolver call at `path`; undefined for one that was not timed. */
  resolved(path: Path, timing: FieldTiming | undefined): void {
    ;(this.#timings ??= new Map()).set(keyOf(path), timing)
  }

  /** The time of the call that returned the object whose field is at `path`, where that was timed. */
  timingAbove(path: Path): FieldTiming | undefined {
    for (let above = path.prev; above !== undefined; above = above.prev) {
      const key = keyOf(above)
      if (this.#timings?.has(key)) return this.#timings.get(key)
    }
    return undefined
  }
}

/**
 * `context` without the calls and operations that are over, around it too: whatever starts itself anew, before or after it
 * is over, would hang on all that went before it.
 */
function living(context: Context): Context {
  const inside = outsideOver(context)
  let around = inside
  for (;;) {
    if (around instanceof LayeredContext) around = around.below
    else if (around instanceof ResolverCall) around = around.letGo()
    else if (around instanceof Execution) around = around.letGo()
    else return inside
  }
}

/** The innermost part of `context` that is not over, with the values that are laid over what is. */
function outsideOver(context: Context): Context {
  const layers: LayeredContext[] = []
  let inside = context
  for (;;) {
    if (inside instanceof LayeredContext) {
      layers.push(inside)
      inside = inside.below
    } else if (inside instanceof ResolverCall && inside.isOver) inside = inside.execution
    else if (inside instanceof Execution && !inside.isRunning) inside = inside.outer
    else return layers.reduceRight<Context>((below, layer) => layer.over(below), inside)
  }
}

function keyOf(path: Path): string {
  return path.prev === undefined ? String(path.key) : `${keyOf(path.prev)}.${path.key}`
}
