import { isPromise } from 'node:util/types'
import { context, type Context, type Span, type Tracer } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { GraphQLField, GraphQLFieldResolver } from 'graphql'
import type { RunningOperations } from '../operations.js'
import { resolverAttributes } from '../sample.js'
import { ResolverCall } from './call.js'
import { CALL_KEY } from './contexts.js'
import type { Execution, Path } from './execution.js'
import type { ExportedOperation } from './exported.js'
import { CallRecorder } from './recorder.js'
import type { ResolverSink } from './sinks.js'
import { ResolverSpan } from './span.js'
import { MeasuredPromise, MeasuredThenable, nativeThen } from './settling.js'

export type Resolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>
export type Field = GraphQLField<unknown, unknown, Record<string, unknown>>

/**
 * One resolver of a schema, and what its calls share.
 *
 *     const { call: outer, inContext } = field.operations
 *     const call = field.begin(execution, args)
 *     let result
 *     try { result = resolve() } catch (error) { (as below); field.threw(call); throw error }
 *     field.operations.call = outer
 *     field.operations.inContext = inContext
 *     return field.returned(call, result, isDirect)
 *
 * Whoever calls it puts back what was running: a function that did would need a stack that is not full.
 */
export class MeasuredField {
  readonly operations: RunningOperations
  readonly #takesArguments: boolean
  readonly #recorder: CallRecorder
  readonly #sink: ResolverSink
  readonly #tracer: Tracer

  constructor(name: string, parentType: string, definition: Field, sink: ResolverSink, tracer: Tracer) {
    this.operations = sink.operations
    this.#takesArguments = definition.args.length > 0
    const attributes = resolverAttributes(parentType, definition.name, String(definition.type))
    this.#recorder = new CallRecorder(name, { name: `graphql.resolve ${name}`, attributes }, sink)
    this.#sink = sink
    this.#tracer = tracer
  }

  /** Begins a call, whose resolver has to run next; `path` is for documents that ask for timings. */
  begin(execution: Execution, args: Record<string, unknown>, path?: Path): ResolverCall {
    const sink = this.#sink
    const recorder = this.#recorder
    const { operations } = this
    const began = execution.isMeasured && sink.meter.calls.choose() ? sink.now() : 0
    const isInside = operations.call !== undefined || operations.inContext
    const hasContext = this.#needsContext(execution)
    const call = hasContext ? new ResolverCall(execution, recorder, true) : operations.spare.take(execution, recorder)
    if (this.#takesArguments) call.argsCount = countKeys(args)
    const before = hasContext ? this.#enter(call) : execution
    if (isInside || !execution.isPlain || before !== execution) this.#linked(call, before, path)
    recorder.started(call, began)
    // Last, so that nothing that throws here, such as a stack that is full, can leave it behind.
    operations.running(call)
    return call
  }

  /** Ends a call whose resolver threw. */
  threw(call: ResolverCall): void {
    this.#leave(call)
    this.#recorder.ended(call, true)
  }

  /**
   * What the resolver's caller is to be given for `result`: the same, or what stands for it until it has settled.
   *
   * @param isDirect whether an engine gets it, and nobody who could ask which promise it is
   */
  returned(call: ResolverCall, result: unknown, isDirect: boolean): unknown {
    this.#leave(call)
    if (result instanceof Promise) return this.#settling(result, call, isDirect)
    if (isThenable(result)) {
      this.mayWait()
      if (isDirect) return new MeasuredThenable(result, call)
      // Who has wrapped the resolver may want more of it than `then`, and to ask it here would send the query of a builder.
    }
    this.#recorder.returned(call)
    return result
  }

  /** Runs `resolve` in the context of `call`, where `begin` could not enter it. */
  within(call: ResolverCall, resolve: () => unknown): unknown {
    if (!call.hasContext || this.#sink.contexts !== undefined) return resolve()
    return context.with<[], () => unknown>(call, () => {
      this.#recorder.entered(call)
      return resolve()
    })
  }

  /** Takes note that the resolver does more than to compute. */
  mayWait(): void {
    this.#recorder.mayWait()
  }

  /** Returns the context that was active before. */
  #enter(call: ResolverCall): Context | undefined {
    const { contexts } = this.#sink
    return contexts === undefined ? call.execution : contexts.enter(call)
  }

  #leave(call: ResolverCall): void {
    const { rare } = call
    if (call.hasContext) this.#sink.contexts?.leave(call, rare === undefined ? call.execution : rare.before)
    if (rare === undefined) return
    // A call that goes on waiting must not keep alive what was before it.
    rare.before = undefined
  }

  /**
   * So that what the call sends can be told from what others send. One that only computes is watched while its code runs
   * and needs none, which on Node 24 is most of what a call costs.
   */
  #needsContext(execution: Execution): boolean {
    if (execution.exported !== undefined) return true
    return this.#sink.sendsSql && !this.#recorder.isQuiet && this.#sink.detail.context
  }

  #settling(result: PromiseLike<unknown>, call: ResolverCall, isDirect: boolean): unknown {
    this.mayWait()
    if (isDirect) return new MeasuredPromise(result, call)
    const ended = (failed: boolean) => (): void => {
      if (!call.isOver) this.#recorder.ended(call, failed)
    }
    // To throw a reason again would make a rejection of its own, which nobody could handle.
    try {
      if (isPromise(result)) void nativeThen.call(result, ended(false), ended(true))
      else result.then(ended(false), ended(true))
    } catch {
      // A class of promises of the application's own refuses; the call is over as far as can be seen.
      ended(false)()
    }
    return result
  }

  #linked(call: ResolverCall, before: Context | undefined, path?: Path): void {
    const { execution } = call
    const { call: outer, inContext } = this.operations
    const parent = outer ?? (inContext ? this.#callAround(call, before) : undefined) ?? execution.parentCall
    if (parent !== undefined) parent.isKnown = true
    const { exported } = execution
    const exportedSpan = exported?.takeCall(this.#sink.maxResolverSpans)
      ? this.#startSpan(execution, exported)
      : undefined
    call.rare = { parent, path, exportedSpan, before }
  }

  /** The call whose context was the active one before `call`, which may have entered its own by now. */
  #callAround(call: ResolverCall, before: Context | undefined): ResolverCall | undefined {
    const around = call.hasContext && this.#sink.contexts !== undefined ? before : context.active()
    return around?.getValue(CALL_KEY) as ResolverCall | undefined
  }

  #startSpan(execution: Execution, { span, wallOffset }: ExportedOperation): Span | undefined {
    const { spanEnded } = this.#sink
    const { kind } = this.#recorder
    if (spanEnded !== undefined && isReadable(span)) {
      return new ResolverSpan(kind, span, wallOffset, spanEnded)
    }
    try {
      return this.#tracer.startSpan(kind.name, { attributes: kind.attributes }, execution)
    } catch (error) {
      // A span processor of the application's may throw.
      this.#sink.caught(error)
      return undefined
    }
  }
}

/** Whether it is a span of the SDK, and not one that somebody made of the ids in a request. */
function isReadable(span: Span): span is Span & ReadableSpan {
  return 'resource' in span
}

/** As both engines see it: for graphql-jit a function is none, and what cannot be asked is theirs to fail on. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    return false
  }
}

function countKeys(args: object): number {
  let count = 0
  for (const name in args) if (name !== '') count += 1
  return count
}
