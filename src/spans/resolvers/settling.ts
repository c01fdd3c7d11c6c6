import type { ResolverCall } from './call.js'

/** Is told once that a call is over. */
export interface CallEnd {
  ended(call: ResolverCall, failed: boolean): void
}

type Fulfilled<Value, One> = ((value: Value) => One | PromiseLike<One>) | null | undefined
type Rejected<Other> = ((reason: unknown) => Other | PromiseLike<Other>) | null | undefined

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

  /** A lazy query builder does its work in `then`: it is called when, as often as and with as many callbacks as by itself. */
  then<One = Value, Other = never>(
    fulfilled?: Fulfilled<Value, One>,
    ...rejected: [Rejected<Other>?]
  ): PromiseLike<One | Other> {
    if (rejected.length > 0) return this.observed(fulfilled, rejected[0])
    const call = this.#call
    if (call === undefined) return this.#thenable.then(fulfilled)
    let next: PromiseLike<One>
    try {
      next = this.#thenable.then(value => this.#fulfilled(value, fulfilled))
    } catch (error) {
      this.#settled(true)
      throw error
    }
    // Who passes no callback for a rejection hears of it from what `then` returns.
    return new MeasuredThenable(
      next,
      {
        ended: (_, failed) => {
          this.#settled(failed)
        }
      },
      call
    )
  }

  protected observed<One, Other>(
    fulfilled: Fulfilled<Value, One>,
    rejected: Rejected<Other>
  ): PromiseLike<One | Other> {
    return this.#thenable.then(
      value => this.#fulfilled(value, fulfilled),
      (reason: unknown) => {
        this.#settled(true)
        if (rejected) return rejected(reason)
        throw reason
      }
    )
  }

  #fulfilled<One>(value: Value, fulfilled: Fulfilled<Value, One>): One | PromiseLike<One> {
    this.#settled(false)
    return fulfilled ? fulfilled(value) : (value as unknown as One)
  }

  #settled(failed: boolean): void {
    if (this.#call === undefined) return
    this.#end.ended(this.#call, failed)
    this.#call = undefined
  }
}

/** The same in the place of a promise: `instanceof Promise`, with `catch` and `finally`. */
export class MeasuredPromise<Value> extends MeasuredThenable<Value> {
  // One promise less: for a promise of the language it makes no difference how many callbacks there are.
  override then<One = Value, Other = never>(
    fulfilled?: Fulfilled<Value, One>,
    rejected?: Rejected<Other>
  ): PromiseLike<One | Other> {
    return this.observed(fulfilled, rejected)
  }
}

Object.setPrototypeOf(
  MeasuredPromise.prototype,
  Object.create(Promise.prototype, Object.getOwnPropertyDescriptors(MeasuredThenable.prototype)) as object
)
