/** What an object can observe that has, or might have, a `then`. */
import { buildSchema } from 'graphql'
import { describe, requestOf, resolveWith, type Engine } from './engines.js'
import type { Scenario } from './scenarios.js'

/** More than the calls after which a resolver is taken for one that never waits. */
const ROUNDS = 40

/** Executes a query whose field gives what `make` made, often, and tells the distinct answers with what `read` saw. */
async function observed(engine: Engine, make: () => unknown, read: () => unknown): Promise<unknown> {
  const schema = buildSchema('type Query { field: Item } type Item { name: String }')
  resolveWith(schema, 'Query', 'field', make)
  const operation = engine(schema, requestOf('{ field { name } }'))
  const seen = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    seen.add(JSON.stringify([await answered(() => operation(undefined, {})), read()]))
  }
  return [...seen]
}

async function answered(operation: () => unknown): Promise<unknown> {
  try {
    return await operation()
  } catch (error) {
    return `thrown: ${describe(error)}`
  }
}

export const thenScenarios: Record<string, Scenario> = {
  'a thenable is asked with as many callbacks, as often': engine => {
    const calls: unknown[] = []
    return observed(
      engine,
      () => {
        const thenable = {
          then(this: unknown, ...callbacks: [(value: unknown) => unknown]) {
            calls.push(callbacks.length, this === thenable)
            return Promise.resolve({ name: 'n' }).then(...callbacks)
          }
        }
        return thenable
      },
      () => calls.splice(0)
    )
  },

  'a promise with a `then` of its own is asked as often': engine => {
    let asked = 0
    class Lazy<Value> extends Promise<Value> {
      override then<One = Value, Other = never>(
        fulfilled?: ((value: Value) => One | PromiseLike<One>) | null,
        rejected?: ((reason: unknown) => Other | PromiseLike<Other>) | null
      ): Promise<One | Other> {
        asked += 1
        return super.then(fulfilled, rejected)
      }
    }
    return observed(
      engine,
      () => Lazy.resolve({ name: 'n' }),
      () => {
        const seen = asked
        asked = 0
        return seen
      }
    )
  },

  'a function that has a `then` is taken as the engine takes it': engine =>
    observed(
      engine,
      () =>
        Object.defineProperties(() => undefined, {
          name: { value: 'of the function' },
          then: { value: (fulfilled: (value: unknown) => unknown) => Promise.resolve({ name: 'n' }).then(fulfilled) }
        }),
      () => null
    ),

  'a `then` that cannot be read is an error of the field': engine =>
    observed(
      engine,
      () => ({
        name: 'n',
        get then(): unknown {
          throw new Error('not to be read')
        }
      }),
      () => null
    ),

  'a `then` that returns nothing leaves the engine with nothing': engine =>
    observed(
      engine,
      () => ({
        then: (fulfilled: (value: unknown) => unknown) => {
          fulfilled({ name: 'n' })
        }
      }),
      () => null
    ),

  'a thenable that settles twice, or throws while it is asked, does the same': async engine => [
    await observed(
      engine,
      () => ({
        then: (fulfilled: (value: unknown) => unknown, rejected?: (reason: unknown) => unknown) => {
          const once = Promise.resolve().then(() => fulfilled({ name: 'n' }))
          void rejected?.(new Error('too late'))
          return once
        }
      }),
      () => null
    ),
    await observed(
      engine,
      () => ({
        then: () => {
          throw new Error('thrown by then')
        }
      }),
      () => null
    )
  ]
}
