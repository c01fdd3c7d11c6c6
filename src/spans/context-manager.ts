import { AsyncLocalStorage } from 'node:async_hooks'
import { ROOT_CONTEXT, type Context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { ContextFrames, type ContextFrame } from './context-frames.js'

/** A context that can be entered quickly. What it is entered with it holds until it is left. */
export interface EnterableContext extends Context {
  /** The frame in which it is the active one, and the one before; undefined where Node has no frames. */
  frame: ContextFrame | undefined
  frameAround: ContextFrame | undefined
}

/**
 * OpenTelemetry's context manager with a way into a context and out again that takes no function: a closure for each
 * resolver call would be most of the garbage that measuring makes.
 *
 *     const before = manager.enter(context)
 *     try { work() } finally { manager.leave(context, before) }
 */
export class DirectContextManager extends AsyncLocalStorageContextManager {
  readonly #storage = new AsyncLocalStorage<Context | undefined>()
  readonly #frames = ContextFrames.of(this.#storage)

  /** Makes `context` the active one until `leave`, which has to come in the same turn. Returns what to leave with. */
  enter(context: EnterableContext): Context | undefined {
    const frames = this.#frames
    if (frames === undefined) {
      const before = this.#storage.getStore()
      this.#storage.enterWith(context)
      return before
    }
    const around = frames.current
    context.frameAround = around
    context.frame = frames.enter(around, context)
    return around?.get(this.#storage) as Context | undefined
  }

  leave(context: EnterableContext, before: Context | undefined): void {
    const { frame, frameAround } = context
    if (frame === undefined || this.#frames?.leave(frame, frameAround) !== true) this.#storage.enterWith(before)
    context.frame = undefined
    context.frameAround = undefined
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
    const frames = this.#frames
    const around = frames?.current
    const before = this.#storage.getStore()
    const entered = frames?.enter(around, context)
    if (entered === undefined) this.#storage.enterWith(context)
    try {
      return fn.apply(thisArg, args)
    } finally {
      if (entered === undefined || frames?.leave(entered, around) !== true) this.#storage.enterWith(before)
    }
  }

  override disable(): this {
    this.#storage.disable()
    return this
  }
}
