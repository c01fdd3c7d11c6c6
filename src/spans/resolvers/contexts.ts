import { createContextKey, type Context } from '@opentelemetry/api'

/** Where the OpenTelemetry API keeps the active span in a context. */
export const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN')

/** Where a context keeps the resolver call, and the operation, that it belongs to. */
export const CALL_KEY = Symbol('mercurius-performance.call')
export const EXECUTION_KEY = Symbol('mercurius-performance.execution')

/** One value laid over another context; a Map for each would cost more than what it holds. */
export class LayeredContext implements Context {
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
