import {
  createContextKey,
  INVALID_SPAN_CONTEXT,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext
} from '@opentelemetry/api'
import { randomBytes } from 'node:crypto'
import type { Execution } from './execution.js'

/** Where the OpenTelemetry API keeps the active span in a context. */
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN')

/**
 * A running call of a resolver. It is itself the OpenTelemetry context in which the resolver runs, so that whatever
 * starts a span inside, such as a query, can be told which resolver sent it; a Map for each call would cost more than
 * the call.
 */
export class ResolverCall implements Context {
  readonly execution: Execution
  /** `Type.field`. */
  readonly name: string
  /** SQL statements sent so far. */
  statements = 0
  /** Nanoseconds in which at least one of its SQL statements was running. */
  sqlTime = 0
  #runningQueries = 0
  #busySince = 0
  #span: Span | undefined

  constructor(execution: Execution, name: string) {
    this.execution = execution
    this.name = name
  }

  getValue(key: symbol): unknown {
    return key === SPAN_KEY ? this.span : this.execution.context.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new LayeredContext(this, key, value)
  }

  deleteValue(key: symbol): Context {
    return new LayeredContext(this, key, undefined)
  }

  /** The span of the call: one of the SDK where the operation is exported, else a lean one, made when asked for. */
  get span(): Span {
    return (this.#span ??= new LeanSpan(this))
  }

  set span(span: Span) {
    this.#span = span
  }

  /** The SDK's span, where one was started. */
  get exportedSpan(): Span | undefined {
    return this.#span instanceof LeanSpan ? undefined : this.#span
  }

  queryStarted(): void {
    this.statements += 1
    this.execution.statements += 1
    if (this.#runningQueries === 0) this.#busySince = performance.now()
    this.#runningQueries += 1
  }

  queryEnded(): void {
    this.#runningQueries -= 1
    if (this.#runningQueries === 0) this.sqlTime += Math.round((performance.now() - this.#busySince) * 1e6)
  }
}

class LayeredContext implements Context {
  readonly #below: Context
  readonly #key: symbol
  readonly #value: unknown

  constructor(below: Context, key: symbol, value: unknown) {
    this.#below = below
    this.#key = key
    this.#value = value
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#below.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new LayeredContext(this, key, value)
  }

  deleteValue(key: symbol): Context {
    return new LayeredContext(this, key, undefined)
  }
}

/** A span that is not recorded: it says where its children belong, with ids that are made when asked for. */
export class LeanSpan implements Span {
  readonly call: ResolverCall
  #context: SpanContext | undefined

  constructor(call: ResolverCall) {
    this.call = call
  }

  spanContext(): SpanContext {
    return (this.#context ??= {
      ...INVALID_SPAN_CONTEXT,
      traceId: this.call.execution.trace.id,
      spanId: randomBytes(8).toString('hex'),
      traceFlags: TraceFlags.NONE
    })
  }

  isRecording(): boolean {
    return false
  }

  setAttribute(): this {
    return this
  }

  setAttributes(): this {
    return this
  }

  addEvent(): this {
    return this
  }

  addLink(): this {
    return this
  }

  addLinks(): this {
    return this
  }

  setStatus(): this {
    return this
  }

  updateName(): this {
    return this
  }

  recordException(): void {
    // Nothing records it.
  }

  end(): void {
    // Nothing was recorded.
  }
}
