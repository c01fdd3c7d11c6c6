import { context, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql'
import type { ResolverMeasurement } from '../measurement.js'
import { markCall } from '../operations.js'
import { resolverAttributes } from '../sample.js'
import { ResolverCall } from './call.js'
import { executionOf, type Execution } from './execution.js'

/** Calls in a row without a promise after which a resolver is taken for one that never waits. */
const SYNC_CALLS = 32

export interface ResolverSink {
  /** Monotonic nanoseconds. */
  now(): number
  resolver(name: string, measurement: ResolverMeasurement): void
  caught(error: unknown): void
}

export type Resolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>

const measuredResolvers = new WeakSet<Resolver>()

/** Whether `resolve` is one that `measured` made. */
export function isMeasured(resolve: Resolver): boolean {
  return measuredResolvers.has(resolve)
}

/**
 * `resolve` with every call counted and timed. Arguments, `this`, results, errors and promises pass through as they are.
 */
export function measured(name: string, resolve: Resolver, sink: ResolverSink, tracer: Tracer): Resolver {
  const field = new MeasuredField(name, sink, tracer)
  const wrapped = function (
    this: unknown,
    source: unknown,
    args: Record<string, unknown>,
    contextValue: unknown,
    info: GraphQLResolveInfo
  ): unknown {
    const execution = executionOf(contextValue)
    if (execution === undefined) return resolve.call(this, source, args, contextValue, info)
    // A resolver that never waits sends no SQL, so it needs no context, which is what costs most.
    const call = field.isSync && !execution.isSampled ? undefined : field.begin(execution, info)
    const start = sink.now()
    let result: unknown
    try {
      result =
        call === undefined
          ? resolve.call(this, source, args, contextValue, info)
          : context.with<[], () => unknown>(call, () => resolve.call(this, source, args, contextValue, info))
    } catch (error) {
      field.ended(execution, call, start, args, info, true)
      throw error
    }
    if (isThenable(result)) return field.settling(result, execution, call, start, args, info)
    field.returnedAtOnce()
    field.ended(execution, call, start, args, info, false)
    return result
  }
  measuredResolvers.add(wrapped)
  if (resolve.constructor.name === 'AsyncFunction') field.waits()
  return wrapped
}

/** What the calls of one resolver share. */
class MeasuredField {
  readonly #name: string
  readonly #sink: ResolverSink
  readonly #tracer: Tracer
  /** Calls without a promise so far; once it has returned one, never again taken for sync. */
  #syncCalls = 0
  isSync = false

  constructor(name: string, sink: ResolverSink, tracer: Tracer) {
    this.#name = name
    this.#sink = sink
    this.#tracer = tracer
  }

  /** The call as the context it is to run in, with a span of its own where the operation is exported. */
  begin(execution: Execution, info: GraphQLResolveInfo): ResolverCall {
    const call = new ResolverCall(execution, this.#name)
    if (execution.isSampled) {
      const attributes = resolverAttributes(info.parentType.name, info.fieldName, String(info.returnType))
      call.span = this.#tracer.startSpan(`graphql.resolve ${this.#name}`, { attributes }, execution.context)
      markCall(call.span, call)
    }
    return call
  }

  returnedAtOnce(): void {
    if (this.isSync) return
    this.#syncCalls += 1
    this.isSync = this.#syncCalls >= SYNC_CALLS
  }

  waits(): void {
    this.#syncCalls = -Infinity
    this.isSync = false
  }

  /** Waits for what a call returned, without standing in its way. */
  settling(
    result: PromiseLike<unknown>,
    execution: Execution,
    call: ResolverCall | undefined,
    start: number,
    args: object,
    info: GraphQLResolveInfo
  ): PromiseLike<unknown> {
    this.waits()
    if (!(result instanceof Promise)) {
      return new MeasuredThenable(result, failed => {
        this.ended(execution, call, start, args, info, failed)
      })
    }
    result.then(
      () => {
        this.ended(execution, call, start, args, info, false)
      },
      () => {
        this.ended(execution, call, start, args, info, true)
      }
    )
    return result
  }

  ended(
    execution: Execution,
    call: ResolverCall | undefined,
    start: number,
    args: object,
    info: GraphQLResolveInfo,
    failed: boolean
  ): void {
    try {
      const endedAt = this.#sink.now()
      const duration = Math.round(endedAt - start)
      const sqlTime = call === undefined ? 0 : Math.min(call.sqlTime, duration)
      this.#sink.resolver(this.#name, {
        duration,
        failed,
        argsCount: countKeys(args),
        traceId: execution.trace,
        statements: call === undefined ? 0 : call.statements,
        sqlTime,
        selfTime: duration - sqlTime,
        endedAt
      })
      if (execution.facts.wantsTimings) {
        execution.resolved(info.path, { executionTime: duration / 1e9, resolverName: this.#name })
      }
      const span = call?.exportedSpan
      if (span !== undefined && failed) span.setStatus({ code: SpanStatusCode.ERROR })
      span?.end()
    } catch (error) {
      this.#sink.caught(error)
    }
  }
}

/** Stands before a thenable that is no promise, whose `then` may do work: it is called when and as often as before. */
class MeasuredThenable implements PromiseLike<unknown> {
  readonly #thenable: PromiseLike<unknown>
  #ended: ((failed: boolean) => void) | undefined

  constructor(thenable: PromiseLike<unknown>, ended: (failed: boolean) => void) {
    this.#thenable = thenable
    this.#ended = ended
  }

  then<One, Other>(
    fulfilled?: ((value: unknown) => One | PromiseLike<One>) | null,
    rejected?: ((reason: unknown) => Other | PromiseLike<Other>) | null
  ): PromiseLike<One | Other> {
    return this.#thenable.then(
      value => {
        this.#settled(false)
        return fulfilled ? fulfilled(value) : (value as One)
      },
      (reason: unknown) => {
        this.#settled(true)
        if (rejected) return rejected(reason)
        throw reason
      }
    )
  }

  #settled(failed: boolean): void {
    this.#ended?.(failed)
    this.#ended = undefined
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function countKeys(args: object): number {
  let count = 0
  for (const name in args) if (name !== '') count += 1
  return count
}
