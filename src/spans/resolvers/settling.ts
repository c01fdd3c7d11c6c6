import type { ResolverCall } from './call.js'

/** Is told once that a call is over. */
export interface CallEnd {
  ended(call: ResolverCall, failed: boolean): void
}

/**
 * What an engine is given in the place of a thenable: it settles when, and as, that one does, and says so. A `then` of
 * our own on the result would cost one promise more for each call, and make a rejection look handled that nobody handles.
 */
export class MeasuredThenable<Value> implements PromiseLike<Value> {
  readonly #thenable: PromiseLike<Value>
  readonly #end: CallEnd
  #call: ResolverCall | undefined

  constructor(thenable: PromiseLike<Value>, end: CallEnd, call: ResolverCall) {
    this.#thenable = thenable
    this.#end = end
    this.#call = call
  }

  // A lazy query builder does its work in `then`: it is called when and as often as without us.
  then<One = Value, Other = never>(
    fulfilled?: ((value: Value) => One | PromiseLike<One>) | null,
    rejected?: ((reason: unknown) => Other | PromiseLike<Other>) | null
  ): PromiseLike<One | Other> {
    return this.#thenable.then(
      value => {
        this.#settled(false)
        return fulfilled ? fulfilled(value) : (value as unknown as One)
      },
      (reason: unknown) => {
        this.#settled(true)
        if (rejected) return rejected(reason)
        throw reason
      }
    )
  }

  #settled(failed: boolean): void {
    if (this.#call === undefined) return
    this.#end.ended(this.#call, failed)
    this.#call = undefined
  }
}

/** The same in the place of a promise: `instanceof Promise`, with `catch` and `finally`. */
export class MeasuredPromise<Value> extends MeasuredThenable<Value> {}

Object.setPrototypeOf(
  MeasuredPromise.prototype,
  Object.create(Promise.prototype, Object.getOwnPropertyDescriptors(MeasuredThenable.prototype)) as object
)
