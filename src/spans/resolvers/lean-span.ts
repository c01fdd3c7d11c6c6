import { INVALID_SPAN_CONTEXT, type Span, type SpanContext } from '@opentelemetry/api'
import { randomBytes } from 'node:crypto'
import type { Execution } from './execution.js'

/** A span that is not recorded: it says where its children belong, with ids that are made when asked for. */
export class LeanSpan implements Span {
  readonly #execution: Execution
  #context: SpanContext | undefined

  constructor(execution: Execution) {
    this.#execution = execution
  }

  spanContext(): SpanContext {
    return (this.#context ??= this.#newContext())
  }

  #newContext(): SpanContext {
    const { exportedSpan, trace } = this.#execution
    // A call that is left out of an exported trace leaves its children to the operation.
    if (exportedSpan !== undefined) return exportedSpan.spanContext()
    return { ...INVALID_SPAN_CONTEXT, traceId: trace.id, spanId: randomBytes(8).toString('hex') }
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
