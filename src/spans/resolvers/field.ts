import { context, SpanStatusCode, type Attributes, type Tracer } from '@opentelemetry/api'
import type { GraphQLField, GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql'
import type { ResolverMeasurement } from '../measurement.js'
import type { RunningOperations } from '../operations.js'
import { resolverAttributes } from '../sample.js'
import { ResolverCall } from './call.js'
import type { Execution } from './execution.js'
import { MeasuredPromise, MeasuredThenable } from './settling.js'

/** Calls in a row without a promise after which a resolver is taken for one that never waits. */
const SYNC_CALLS = 32

export interface ResolverSink {
  readonly operations: RunningOperations
  /** How many calls of one operation are exported as spans; the others are counted on the operation's. */
  readonly maxResolverSpans: number
  /** Whether anything may be loaded that sends SQL, so that calls need contexts. */
  readonly sendsSql: boolean
  /** Monotonic nanoseconds. */
  now(): number
  resolver(name: string, measurement: ResolverMeasurement): void
  caught(error: unknown): void
}

export type Resolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>
export type Field = GraphQLField<unknown, unknown, Record<string, unknown>>

type Scratch = { -readonly [Key in keyof ResolverMeasurement]: ResolverMeasurement[Key] }

/** One resolver of a schema, and what its calls share. */
export class MeasuredField {
  readonly #name: string
  readonly #takesArguments: boolean
  /** What every exported span of it says. */
  readonly #attributes: Attributes
  readonly #sink: ResolverSink
  readonly #operations: RunningOperations
  readonly #tracer: Tracer
  /** Calls without a promise so far; -Infinity once it has returned one or sent SQL. */
  #syncCalls = 0
  #isSync = false
  /** One for all calls, since whoever takes it copies it: an object for each call would be most of its cost. */
  readonly #measurement: Scratch = {
    duration: 0,
    failed: false,
    argsCount: 0,
    traceId: null,
    statements: 0,
    sqlTime: 0,
    selfTime: 0,
    endedAt: 0
  }

  constructor(name: string, parentType: string, definition: Field, sink: ResolverSink, tracer: Tracer) {
    this.#name = name
    this.#takesArguments = definition.args.length > 0
    this.#attributes = resolverAttributes(parentType, definition.name, String(definition.type))
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
    const operations = this.#operations
    const outer = operations.call
    const argsCount = this.#takesArguments ? countKeys(args) : 0
    // Whoever calls a resolver by hand may leave the info out.
    const path = execution.facts.wantsTimings ? (info as GraphQLResolveInfo | undefined)?.path : undefined
    const call = new ResolverCall(execution, this.#name, outer ?? execution.parentCall, argsCount, path)
    if (execution.exportedSpan !== undefined) this.#export(call)
    call.hasContext = this.#needsContext(execution)
    operations.call = call
    call.start = this.#sink.now()
    call.parent?.nestedStarted(call.start)
    let result: unknown
    try {
      result = call.hasContext
        ? context.with<[], () => unknown>(call, () => resolve.call(self, source, args, contextValue, info))
        : resolve.call(self, source, args, contextValue, info)
    } catch (error) {
      operations.call = outer
      this.ended(call, true)
      throw error
    }
    operations.call = outer
    if (result instanceof Promise) return this.#settling(result, call, isDirect)
    if (isThenable(result)) {
      this.waits()
      return new MeasuredThenable(result, this, call)
    }
    this.ended(call, false)
    this.#returnedAtOnce(call)
    return result
  }

  /** Takes note that the resolver may wait, or send SQL. */
  waits(): void {
    this.#syncCalls = -Infinity
    this.#isSync = false
  }

  ended(call: ResolverCall, failed: boolean): void {
    try {
      const now = this.#sink.now()
      const duration = Math.round(now - call.start)
      const { execution, waits, path } = call
      const measurement = this.#measurement
      measurement.duration = duration
      measurement.failed = failed
      measurement.argsCount = call.argsCount
      measurement.traceId = execution.trace
      measurement.endedAt = now
      if (waits === undefined) {
        measurement.statements = 0
        measurement.sqlTime = 0
        measurement.selfTime = duration
      } else {
        measurement.statements = waits.statements
        measurement.sqlTime = Math.min(duration, Math.round(waits.sql.until(now)))
        measurement.selfTime = Math.max(0, duration - Math.round(waits.all.until(now)))
      }
      this.#sink.resolver(this.#name, measurement)
      call.parent?.nestedEnded(now)
      if (path !== undefined) execution.resolved(path, { executionTime: duration / 1e9, resolverName: this.#name })
      if (execution.exportedSpan !== undefined) endSpan(call, failed)
    } catch (error) {
      this.#sink.caught(error)
    }
  }

  /** A resolver that never waits sends no SQL, so it needs no context; it is still watched while it runs. */
  #needsContext(execution: Execution): boolean {
    return execution.exportedSpan !== undefined || (!this.#isSync && this.#sink.sendsSql)
  }

  #settling(result: Promise<unknown>, call: ResolverCall, isDirect: boolean): unknown {
    if (this.#syncCalls !== -Infinity) this.waits()
    if (isDirect) return new MeasuredPromise(result, this, call)
    result.then(
      () => {
        this.ended(call, false)
      },
      () => {
        this.ended(call, true)
      }
    )
    return result
  }

  #returnedAtOnce({ waits }: ResolverCall): void {
    if (waits !== undefined) this.waits()
    if (this.#isSync) return
    this.#syncCalls += 1
    this.#isSync = this.#syncCalls >= SYNC_CALLS
  }

  #export(call: ResolverCall): void {
    const { execution } = call
    if (execution.exportedCalls >= this.#sink.maxResolverSpans) {
      execution.droppedCalls += 1
      return
    }
    execution.exportedCalls += 1
    try {
      const options = { attributes: this.#attributes }
      call.exportedSpan = this.#tracer.startSpan(`graphql.resolve ${this.#name}`, options, execution)
    } catch (error) {
      // A span processor of the application's may throw.
      this.#sink.caught(error)
    }
  }
}

function endSpan(call: ResolverCall, failed: boolean): void {
  const { exportedSpan } = call
  if (failed) exportedSpan?.setStatus({ code: SpanStatusCode.ERROR })
  exportedSpan?.end()
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function countKeys(args: object): number {
  let count = 0
  for (const name in args) if (name !== '') count += 1
  return count
}
