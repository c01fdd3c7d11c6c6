import { context } from '@opentelemetry/api'
import type { ResolverCall } from './call.js'

/** `then` of the promises of the language. */
// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with a promise
export const nativeThen: Promise<unknown>['then'] = Promise.prototype.then

type Fulfilled<Value, One> = ((value: Value) => One | PromiseLike<One>) | null | undefined
type Rejected<Other> = ((reason: unknown) => Other | PromiseLike<Other>) | null | undefined

/**
 * What an engine is given in the place of a thenable: it settles when, and as, that one does, and says so. A `then` of
 * our own on the result would cost one promise more for each call, and make a rejection look handled that nobody handles.
 */
export class MeasuredThenable<Value> implements PromiseLike<Value> {
  private readonly thenable: PromiseLike<Value>
  private readonly call: ResolverCall

  constructor(thenable: PromiseLike<Value>, call: ResolverCall) {
    this.thenable = thenable
    this.call = call
  }

  /** A lazy query builder does its work in `then`: it is called when, as often as and with as many callbacks as by itself. */
  then<One = Value, Other = never>(
    fulfilled?: Fulfilled<Value, One>,
    ...rejected: [Rejected<Other>?]
  ): PromiseLike<One | Other> {
    const { thenable, call } = this
    const [first, second] = inPresentContext(call, fulfilled, rejected[0])
    if (rejected.length > 0) return asked(call, () => observed(thenable, call, first, second))
    const next = asked(call, () =>
      thenable.then(value => {
        settled(call, false)
        return first ? first(value) : (value as unknown as One)
      })
    )
    // Who passes no callback for a rejection hears of it from what `then` returns, if that is anything.
    return typeof (next as PromiseLike<One> | undefined)?.then === 'function' ? new MeasuredThenable(next, call) : next
  }
}

/**
 * The same in the place of a promise: `instanceof Promise`, with `catch` and `finally`. It extends nothing, since V8 makes
 * no constructor of a class below another one part of the code that calls it.
 */
export class MeasuredPromise<Value> implements PromiseLike<Value> {
  private readonly thenable: PromiseLike<Value>
  private readonly call: ResolverCall

  constructor(promise: PromiseLike<Value>, call: ResolverCall) {
    this.thenable = promise
    this.call = call
  }

  // One promise less: for a promise of the language it makes no difference how many callbacks there are.
  then<One = Value, Other = never>(
    fulfilled?: Fulfilled<Value, One>,
    rejected?: Rejected<Other>
  ): PromiseLike<One | Other> {
    const { thenable, call } = this
    if (thenable.then === nativeThen) return observed(thenable, call, fulfilled, rejected)
    // A promise of a class of its own may be as lazy as a query builder.
    const [first, second] = inPresentContext(call, fulfilled, rejected)
    return asked(call, () => observed(thenable, call, first, second))
  }
}

Object.setPrototypeOf(MeasuredPromise.prototype, Promise.prototype)

/** What `ask` returns; where it throws, the call has failed. */
function asked<Result>(call: ResolverCall, ask: () => Result): Result {
  try {
    return call.recorder.asking(call, ask)
  } catch (error) {
    settled(call, true)
    throw error
  }
}

/** No method, so that what is given to the engine is not kept while the promise is pending. */
function observed<Value, One, Other>(
  thenable: PromiseLike<Value>,
  call: ResolverCall,
  fulfilled: Fulfilled<Value, One>,
  rejected: Rejected<Other>
): PromiseLike<One | Other> {
  return thenable.then(
    value => {
      settled(call, false)
      return fulfilled ? fulfilled(value) : (value as unknown as One)
    },
    (reason: unknown) => {
      settled(call, true)
      if (rejected) return rejected(reason)
      throw reason
    }
  )
}

/** What the engine does next belongs to the operation and not to the call, whose context the thenable is asked in. */
function inPresentContext<Value, One, Other>(
  call: ResolverCall,
  fulfilled: Fulfilled<Value, One>,
  rejected: Rejected<Other>
): [Fulfilled<Value, One>, Rejected<Other>] {
  if (!call.hasContext) return [fulfilled, rejected]
  const present = context.active()
  return [fulfilled && context.bind(present, fulfilled), rejected && context.bind(present, rejected)]
}

function settled(call: ResolverCall, failed: boolean): void {
  if (!call.isOver) call.recorder.ended(call, failed)
}
