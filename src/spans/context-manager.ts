import { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, type Context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'

/**
 * OpenTelemetry's context manager with a way into a context and out again that takes no function: a closure for each
 * resolver call would be most of the garbage that measuring makes.
 *
 *     const before = manager.enter(context)
 *     try { work() } finally { manager.leave(before) }
 */
export class DirectContextManager extends AsyncLocalStorageContextManager {
  readonly #storage = new AsyncLocalStorage<Context | undefined>()

  /** Makes `context` the active one until `leave`, which has to come in the same turn. Returns what to leave with. */
  enter(context: Context): Context | undefined {
    const before = this.#storage.getStore()
    this.#storage.enterWith(context)
    return before
  }

  leave(before: Context | undefined): void {
    this.#storage.enterWith(before)
  }

  override active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }

  override with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const before = this.enter(context)
    try {
      return fn.apply(thisArg, args)
    } finally {
      this.leave(before)
    }
  }

  override disable(): this {
    this.#storage.disable()
    return this
  }
}
