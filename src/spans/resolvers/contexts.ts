import { createContextKey, type Context } from '@opentelemetry/api'

/** Where the OpenTelemetry API keeps the active span in a context. */
export const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN')

/** Where a context keeps the resolver call, and the operation, that it belongs to. */
export const CALL_KEY = Symbol('mercurius-performance.call')
export const EXECUTION_KEY = Symbol('mercurius-performance.execution')

/** Values laid over another context, each key once. */
export class LayeredContext implements Context {
  readonly below: Context
  readonly #values: ReadonlyMap<symbol, unknown>

  constructor(below: Context, values: ReadonlyMap<symbol, unknown>) {
    this.below = below
    this.#values = values
  }

  /** The same values over another context; over another layer they are one with it. */
  over(below: Context): LayeredContext {
    if (below === this.below) return this
    if (!(below instanceof LayeredContext)) return new LayeredContext(below, this.#values)
    return new LayeredContext(below.below, new Map([...below.#values, ...this.#values]))
  }

  has(key: symbol): boolean {
    return this.#values.has(key)
  }

  getValue(key: symbol): unknown {
    return this.#values.has(key) ? this.#values.get(key) : this.below.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new LayeredContext(this.below, new Map(this.#values).set(key, value))
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined)
  }
}
