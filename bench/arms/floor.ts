/**
 * The least that a way such as ours has to do: it reads the clock when a resolver is called and when it is done, and runs
 * an async one in a context of its own, so that what it sends could be told. It adds up the times, and that is all.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import type { Resolvers } from '../shapes.js'

type Resolve = (source: never, args: never, context: unknown, info: unknown) => unknown

interface Call {
  readonly field: Field
  started: number
}

class Field {
  calls = 0
  time = 0

  done(started: number): void {
    this.calls += 1
    this.time += performance.now() - started
  }
}

const storage = new AsyncLocalStorage<Call | undefined>()

export function wrap(resolvers: Resolvers): Resolvers {
  return Object.fromEntries(
    Object.entries(resolvers).map(([type, fields]) => [
      type,
      Object.fromEntries(Object.entries(fields).map(([name, resolve]) => [name, wrapped(resolve as Resolve)]))
    ])
  ) as Resolvers
}

function wrapped(resolve: Resolve): Resolve {
  const field = new Field()
  return resolve.constructor.name === 'AsyncFunction' ? wrappedAsync(resolve, field) : wrappedSync(resolve, field)
}

function wrappedSync(resolve: Resolve, field: Field): Resolve {
  return (source, args, context, info) => {
    const started = performance.now()
    const result = resolve(source, args, context, info)
    field.done(started)
    return result
  }
}

function wrappedAsync(resolve: Resolve, field: Field): Resolve {
  return (source, args, context, info) => {
    const call: Call = { field, started: 0 }
    const before = storage.getStore()
    storage.enterWith(call)
    call.started = performance.now()
    const result = resolve(source, args, context, info) as Promise<unknown>
    storage.enterWith(before)
    return new Timed(result, call)
  }
}

/** In the place of the promise: a `then` of its own would be one promise more a call. */
class Timed {
  readonly #promise: Promise<unknown>
  readonly #call: Call

  constructor(promise: Promise<unknown>, call: Call) {
    this.#promise = promise
    this.#call = call
  }

  then(fulfilled: (value: unknown) => unknown, rejected: (reason: unknown) => unknown): Promise<unknown> {
    const { field, started } = this.#call
    return this.#promise.then(
      value => {
        field.done(started)
        return fulfilled(value)
      },
      (reason: unknown) => {
        field.done(started)
        return rejected(reason)
      }
    )
  }
}

export const around = <Result>(run: () => Result): Result => storage.run(undefined, run)
