import { context, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql'
import type { Measurement } from '../measurement.js'
import { markCall } from '../operations.js'
import { resolverAttributes } from '../sample.js'
import { ResolverCall } from './call.js'
import { executionOf, type Execution } from './execution.js'

/** Calls in a row without a promise after which a resolver is taken for one that never waits. */
const SYNC_CALLS = 32

/** A finished call, in the words of the store. */
export interface ResolverMeasurement extends Measurement {
  /** SQL statements that it sent, and the nanoseconds in which one of them was running. */
  readonly statements: number
  readonly sqlTime: number
}

export interface ResolverSink {
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
  const field = new MeasuredField(name, resolve, sink, tracer)
  const wrapped = function (
    this: unknown,
    source: unknown,
    args: Record<string, unknown>,
    contextValue: unknown,
    info: GraphQLResolveInfo
  ): unknown {
    const execution = executionOf(contextValue)
    return execution === undefined
      ? resolve.call(this, source, args, contextValue, info)
      : field.call(execution, this, source, args, contextValue, info)
  }
  measuredResolvers.add(wrapped)
  return wrapped
}

type Given = [source: unknown, args: Record<string, unknown>, contextValue: unknown, info: GraphQLResolveInfo]

class MeasuredField {
  readonly #name: string
  readonly #resolve: Resolver
  readonly #sink: ResolverSink
  readonly #tracer: Tracer
  /** Calls without a promise so far; once it has returned one, never again taken for sync. */
  #syncCalls: number

  constructor(name: string, resolve: Resolver, sink: ResolverSink, tracer: Tracer) {
    this.#name = name
    this.#resolve = resolve
    this.#sink = sink
    this.#tracer = tracer
    this.#syncCalls = resolve.constructor.name === 'AsyncFunction' ? -Infinity : 0
  }

  call(execution: Execution, self: unknown, ...given: Given): unknown {
    const call = new ResolverCall(execution, this.#name)
    const [, args, , info] = given
    if (execution.isSampled) this.#startSpan(call, info)
    const start = performance.now()
    let result: unknown
    try {
      // A resolver that never waits sends no SQL, so it needs no context, which is what costs most.
      result =
        this.#syncCalls >= SYNC_CALLS && !execution.isSampled
          ? this.#resolve.apply(self, given)
          : context.with<[], () => unknown>(call, () => this.#resolve.apply(self, given))
    } catch (error) {
      this.#ended(call, start, args, info, true)
      throw error
    }
    if (!isThenable(result)) {
      this.#syncCalls += 1
      this.#ended(call, start, args, info, false)
      return result
    }
    this.#syncCalls = -Infinity
    const ended = (failed: boolean): void => {
      this.#ended(call, start, args, info, failed)
    }
    if (!(result instanceof Promise)) return new MeasuredThenable(result, ended)
    result.then(
      () => {
        ended(false)
      },
      () => {
        ended(true)
      }
    )
    return result
  }

  #startSpan(call: ResolverCall, info: GraphQLResolveInfo): void {
    const attributes = resolverAttributes(info.parentType.name, info.fieldName, String(info.returnType))
    call.span = this.#tracer.startSpan(`graphql.resolve ${this.#name}`, { attributes }, call.execution.context)
    markCall(call.span, call)
  }

  #ended(call: ResolverCall, start: number, args: object, info: GraphQLResolveInfo, failed: boolean): void {
    try {
      const duration = Math.round((performance.now() - start) * 1e6)
      const { execution, statements, sqlTime } = call
      const argsCount = countKeys(args)
      this.#sink.resolver(this.#name, {
        duration,
        failed,
        argsCount,
        traceId: execution.trace,
        statements,
        sqlTime: Math.min(sqlTime, duration)
      })
      if (execution.facts.wantsTimings) {
        execution.resolved(info.path, { executionTime: duration / 1e9, resolverName: this.#name })
      }
      const span = call.exportedSpan
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
