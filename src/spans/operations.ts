import { context, trace, type Context, type Span } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { isOwnField } from '../lib/names.js'
import type { ResolverCall } from './resolvers/call.js'
import { CALL_KEY, EXECUTION_KEY } from './resolvers/contexts.js'
import type { Execution } from './resolvers/execution.js'
import { SpareCall } from './resolvers/spare-call.js'
import { RunningOperation, type FieldTiming } from './running-operation.js'
import { resolverOf, startsOperation, type ResolverSpan } from './sample.js'
import { SentQueries } from './sent-queries.js'
import { OPERATION, type Tagged } from './tags.js'

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

/** Which operation, and which of its resolver calls, each running span belongs to. */
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
  readonly queries: SentQueries
  readonly #attributes: () => boolean

  /**
   * @param attributes whether SQL is attributed to resolvers: to all or to none, as a part of it would tell nothing
   * @param sentLate that of `SentQueries`
   */
  constructor(attributes: () => boolean, sentLate: (name: string, statements: number) => void) {
    this.#attributes = attributes
    this.queries = new SentQueries(sentLate)
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
    const around = trace.getSpan(parentContext) as Tagged | undefined
    const call = this.#callIn(parentContext)
    const execution = call?.execution ?? (parentContext.getValue(EXECUTION_KEY) as Execution | undefined)
    const sender = this.#attributes() ? call : undefined
    // So that it is not taken for one that sends nothing once SQL is attributed again.
    if (sender === undefined) call?.touched()
    const isQuery = this.queries.started(span, around, execution, sender)
    const operation = around?.[OPERATION]
    if (operation === undefined) return
    ;(span as Tagged)[OPERATION] = operation
    if (isQuery) {
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
