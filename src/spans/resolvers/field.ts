import { isPromise } from 'node:util/types'
import { context, type Attributes, type Span, type Tracer } from '@opentelemetry/api'
import type { GraphQLField, GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql'
import type { RunningOperations } from '../operations.js'
import { resolverAttributes } from '../sample.js'
import { ResolverCall, type RareParts } from './call.js'
import type { Execution } from './execution.js'
import { CallRecorder } from './recorder.js'
import type { ResolverSink } from './sinks.js'
import { MeasuredPromise, MeasuredThenable, nativeThen } from './settling.js'

export type Resolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>
export type Field = GraphQLField<unknown, unknown, Record<string, unknown>>

/** One resolver of a schema, and what its calls share. */
export class MeasuredField {
  readonly #name: string
  readonly #takesArguments: boolean
  /** What every exported span of it says. */
  readonly #attributes: Attributes
  readonly #recorder: CallRecorder
  readonly #sink: ResolverSink
  readonly #operations: RunningOperations
  readonly #tracer: Tracer

  constructor(name: string, parentType: string, definition: Field, sink: ResolverSink, tracer: Tracer) {
    this.#name = name
    this.#takesArguments = definition.args.length > 0
    this.#attributes = resolverAttributes(parentType, definition.name, String(definition.type))
    this.#recorder = new CallRecorder(name, sink)
    this.#sink = sink
    this.#operations = sink.operations
    this.#tracer = tracer
  }

  /**
   * Calls `resolve`, counted and timed. Arguments, `this`, results and errors pass through as they are.
   *
   * @param isDirect whether an engine gets the result, and nobody who could ask which promise it is
   */
  call(
    resolve: Resolver,
    self: unknown,
    source: unknown,
    args: Record<string, unknown>,
    contextValue: unknown,
    info: GraphQLResolveInfo,
    execution: Execution,
    isDirect: boolean
  ): unknown {
    const began = this.#sink.meter.calls.choose() ? this.#sink.now() : 0
    const operations = this.#operations
    const outer = operations.call
    const argsCount = this.#takesArguments ? countKeys(args) : 0
    const call = new ResolverCall(execution, this.#recorder, argsCount, this.#rareParts(execution, outer, info))
    call.hasContext = this.#needsContext(execution)
    operations.call = call
    const contexts = call.hasContext ? this.#sink.contexts : undefined
    const before = contexts?.enter(call)
    let result: unknown
    try {
      if (call.hasContext && contexts === undefined) {
        result = context.with<[], () => unknown>(call, () => {
          this.#recorder.started(call, began)
          return resolve.call(self, source, args, contextValue, info)
        })
      } else {
        this.#recorder.started(call, began)
        result = resolve.call(self, source, args, contextValue, info)
      }
    } catch (error) {
      this.#recorder.ended(call, true)
      throw error
    } finally {
      contexts?.leave(before)
      operations.call = outer
    }
    if (result instanceof Promise) return this.#settling(result, call, isDirect)
    if (isThenable(result)) {
      this.mayWait()
      return new MeasuredThenable(result, call)
    }
    this.#recorder.returned(call)
    return result
  }

  /** Takes note that the resolver does more than to compute. */
  mayWait(): void {
    this.#recorder.mayWait()
  }

  /**
   * So that what the call sends can be told from what others send. One that only computes is watched while its code runs
   * and needs none, which on Node 24 is most of what a call costs.
   */
  #needsContext(execution: Execution): boolean {
    if (execution.exportedSpan !== undefined) return true
    return this.#sink.sendsSql && !this.#recorder.isQuiet && this.#sink.detail.context
  }

  #settling(result: PromiseLike<unknown>, call: ResolverCall, isDirect: boolean): unknown {
    this.mayWait()
    if (isDirect) return new MeasuredPromise(result, call)
    const ended = (failed: boolean) => (): void => {
      this.#recorder.ended(call, failed)
    }
    // To throw a reason again would make a rejection of its own, which nobody could handle.
    try {
      if (isPromise(result)) void nativeThen.call(result, ended(false), ended(true))
      else result.then(ended(false), ended(true))
    } catch {
      // A class of promises of the application's own refuses; the call is over as far as can be seen.
      this.#recorder.ended(call, false)
    }
    return result
  }

  #rareParts(
    execution: Execution,
    outer: ResolverCall | undefined,
    info: GraphQLResolveInfo | undefined
  ): RareParts | undefined {
    const parent = outer ?? execution.parentCall
    // Whoever calls a resolver by hand may leave the info out.
    const path = execution.facts.wantsTimings ? info?.path : undefined
    const exportedSpan = execution.exportedSpan === undefined ? undefined : this.#startSpan(execution)
    const hasNone = parent === undefined && path === undefined && exportedSpan === undefined
    return hasNone ? undefined : { parent, path, exportedSpan }
  }

  #startSpan(execution: Execution): Span | undefined {
    if (execution.exportedCalls >= this.#sink.maxResolverSpans) {
      execution.droppedCalls += 1
      return undefined
    }
    execution.exportedCalls += 1
    try {
      const options = { attributes: this.#attributes }
      return this.#tracer.startSpan(`graphql.resolve ${this.#name}`, options, execution)
    } catch (error) {
      // A span processor of the application's may throw.
      this.#sink.caught(error)
      return undefined
    }
  }
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
