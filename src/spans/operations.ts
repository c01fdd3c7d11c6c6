import { context, trace, type Context, type Span } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { systemClock } from '../lib/clock.js'
import { isOwnField } from '../lib/names.js'
import type { ResolverCall } from './resolvers/call.js'
import { CALL_KEY, EXECUTION_KEY } from './resolvers/contexts.js'
import type { Execution } from './resolvers/execution.js'
import { SpareCall } from './resolvers/spare-call.js'
import { RunningOperation, type FieldTiming } from './running-operation.js'
import { resolverOf, startsOperation, startsQuery, type ResolverSpan } from './sample.js'

const OPERATION = Symbol('mercurius-performance.operation')
const SENDER = Symbol('mercurius-performance.sender')

interface Tagged {
  [OPERATION]?: RunningOperation
  [SENDER]?: Sender
}

/** Inside what a span runs: an operation that is measured itself and, where it is known, one of its resolver calls. */
export interface Sender {
  readonly execution: Execution
  readonly call: ResolverCall | undefined
  /** Whether the span told by its name, as it started, that it is a query. */
  readonly isQuery: boolean
}

/** Says of the active execution span, if there is one, that its operation is measured already, or not to be measured. */
export function markMeasured(span: Span | undefined): void {
  if (!isReadable(span)) return
  // One that started while measuring was off is known to nobody, and may end when it is on again.
  if (span[OPERATION] === undefined && startsOperation(span)) span[OPERATION] = new RunningOperation(span)
  if (span[OPERATION] !== undefined) span[OPERATION].isMeasured = true
}

function isReadable(span: Span | undefined): span is Span & ReadableSpan & Tagged {
  return span !== undefined && 'attributes' in span
}

/** Inside what a span runs. */
export function senderOf(span: ReadableSpan): Sender | undefined {
  return (span as Tagged)[SENDER]
}

/**
 * Which operation each running span belongs to. The span itself carries it: a WeakMap of spans grows with traffic until
 * a full garbage collection and does not shrink again.
 */
export class RunningOperations {
  /** How many executions that are measured themselves are starting right now, one inside the other. */
  executing = 0
  /** The resolver call without a context of its own whose code is running right now; none inside one that has one. */
  call: ResolverCall | undefined = undefined
  /**
   * Whether the code that is running right now, up to the first time it waits, is that of a resolver call in a context of
   * its own. Which one the context tells: to note down what is new in something old has V8 remember it for garbage
   * collection.
   */
  inContext = false
  readonly spare = new SpareCall()
  /** Whether the fields behind `_performanceMetrics` are in a schema of the process, of which spans tell only names. */
  withMetrics = false
  readonly #sentLate: (name: string) => void

  /** `sentLate` is told the resolver of each query that is sent after its call was recorded. */
  constructor(sentLate: (name: string) => void) {
    this.#sentLate = sentLate
  }

  /** From here on the code of `call` is running. */
  running(call: ResolverCall): void {
    this.call = call.hasContext ? undefined : call
    this.inContext = call.hasContext
  }

  started(span: ReadableSpan, parentContext: Context): void {
    if (startsOperation(span)) {
      const operation = new RunningOperation(span)
      operation.isMeasured = this.executing > 0
      ;(span as Tagged)[OPERATION] = operation
      return
    }
    this.#sent(span, parentContext)
    const operation = (trace.getSpan(parentContext) as Tagged | undefined)?.[OPERATION]
    if (operation === undefined) return
    ;(span as Tagged)[OPERATION] = operation
    if (startsQuery(span)) {
      operation.queryStarted()
      return
    }
    const resolver = resolverOf(span)
    if (resolver !== undefined) operation.resolverStarted(this.isOwn(resolver))
  }

  /** Whether a resolver is the monitor's. */
  isOwn({ parentType, field }: ResolverSpan): boolean {
    return isOwnField(parentType, field, this.withMetrics)
  }

  #sent(span: ReadableSpan, parentContext: Context): void {
    const call = this.#callIn(parentContext)
    const execution = call?.execution ?? (parentContext.getValue(EXECUTION_KEY) as Execution | undefined)
    if (execution === undefined) return
    const isQuery = startsQuery(span)
    ;(span as Tagged)[SENDER] = { execution, call, isQuery }
    call?.touched()
    if (isQuery) this.#queryStarted(execution, call, systemClock.monotonic())
  }

  /** To be called for each span that ends, before anything else is done with it. */
  ended(span: ReadableSpan): void {
    const { call, isQuery } = (span as Tagged)[SENDER] ?? {}
    if (isQuery) call?.queryEnded(systemClock.monotonic())
  }

  /** Takes note of a query of `duration` nanoseconds whose span did not tell, as it started, that it is one. */
  foundQuery({ execution, call }: Sender, duration: number): void {
    const now = systemClock.monotonic()
    this.#queryStarted(execution, call, now - duration)
    call?.queryEnded(now)
  }

  #queryStarted(execution: Execution, call: ResolverCall | undefined, at: number): void {
    execution.statements += 1
    call?.queryStarted(at)
    if (call?.isOver && execution.isMeasured) this.#sentLate(call.name)
  }

  /** The context of the code that is running: that of a call even where the call does not run in it. */
  get context(): Context {
    return this.call === undefined ? context.active() : known(this.call)
  }

  /** A call without a context of its own is found only while its code is running. */
  #callIn(parentContext: Context): ResolverCall | undefined {
    const inContext = parentContext.getValue(CALL_KEY) as ResolverCall | undefined
    const { call } = this
    if (call === undefined) return inContext
    let around = call.rare?.parent
    while (around?.hasContext === false) around = around.rare?.parent
    return inContext === undefined || inContext === around ? known(call) : inContext
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

/** Somebody may keep the call, so that its object is for no other call. */
function known(call: ResolverCall): ResolverCall {
  call.isKnown = true
  return call
}
