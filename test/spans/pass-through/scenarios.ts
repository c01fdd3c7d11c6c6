/**
 * What a resolver's surroundings can observe beside its answers. Each scenario tells what it saw, which must be the same
 * with the instrumentation as without.
 */
import { buildSchema, type GraphQLFieldResolver } from 'graphql'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, requestOf, resolveWith, type Engine } from './engines.js'

export type Scenario = (engine: Engine) => unknown

type Resolve = GraphQLFieldResolver<unknown, unknown>

/** Executes `{ field later }` and tells the answer as text. */
export async function answer(
  engine: Engine,
  contextValue: unknown,
  field: Resolve,
  later: Resolve = () => 'later'
): Promise<string> {
  const schema = buildSchema('type Query { field(id: ID): String  later: String }')
  resolveWith(schema, 'Query', 'field', field)
  resolveWith(schema, 'Query', 'later', later)
  try {
    return JSON.stringify(await engine(schema, requestOf('{ field(id: 1) later }'))(undefined, contextValue))
  } catch (error) {
    return `thrown: ${describe(error)}`
  }
}

export const scenarios: Record<string, Scenario> = {
  'a resolver has the same `this` and as many arguments': async engine => {
    const seen: unknown[] = []
    await answer(engine, {}, function (this: unknown, ...given) {
      seen.push(typeof this, given.length, given[0], given[1], given[3].fieldName)
      return 'value'
    })
    return seen
  },

  'a resolver is given the very context of the operation': async engine => {
    const contexts = [{}, Object.create(null), new Date(0), []]
    const seen: unknown[] = []
    for (const given of contexts) {
      seen.push(await answer(engine, given, (_source, _args, context) => String(context === given)))
    }
    return seen
  },

  'a context shows no keys but its own': async engine => {
    const context = { own: 1 }
    await answer(engine, context, () => 'value')
    return [Object.keys(context), JSON.stringify(context), { ...context }, Object.getOwnPropertyNames(context)]
  },

  'whatever is thrown or rejected reaches the answer': async engine => {
    const reasons = [
      new TypeError('an error'),
      'text',
      '',
      undefined,
      null,
      0,
      false,
      Symbol('symbol'),
      { message: 'an object' },
      []
    ]
    const seen: unknown[] = []
    for (const reason of reasons) {
      seen.push(
        await answer(engine, {}, () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is no Error is the point
          throw reason
        })
      )
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is no Error is the point
      seen.push(await answer(engine, {}, () => Promise.reject(reason)))
    }
    return seen
  },

  'an error in the answer is the very one that was thrown': async engine => {
    const schema = buildSchema('type Query { thrown: String  rejected: String  returned: String }')
    const error = new Error('the very same')
    resolveWith(schema, 'Query', 'thrown', () => {
      throw error
    })
    resolveWith(schema, 'Query', 'rejected', () => Promise.reject(error))
    resolveWith(schema, 'Query', 'returned', () => error)
    const { errors } = await engine(schema, requestOf('{ thrown rejected returned }'))(undefined, {})
    return errors?.map(({ originalError }) => originalError === error)
  },

  "who calls the resolver in the engine's place is given its very promise": async engine => {
    const schema = buildSchema('type Query { field: String }')
    class Kept<Value> extends Promise<Value> {}
    const promises = [Promise.resolve('a'), Kept.resolve('b'), (async () => 'c')()]
    const seen: unknown[] = []
    let made: unknown
    resolveWith(schema, 'Query', 'field', () => made)
    const request = requestOf('{ field }')
    made = 'first'
    await engine(schema, request)(undefined, {})
    const inner = schema.getQueryType()?.getFields().field?.resolve
    resolveWith(schema, 'Query', 'field', function (this: unknown, ...given) {
      const result: unknown = inner?.apply(this, given)
      seen.push(result === made)
      return result
    })
    const operation = engine(schema, request)
    for (const promise of promises) {
      made = promise
      await operation(undefined, {})
    }
    return seen
  },

  'a store that a resolver enters is seen by what comes after it': async engine => {
    const storage = new AsyncLocalStorage<string>()
    return storage.run('of the request', () =>
      answer(
        engine,
        {},
        () => {
          const before = storage.getStore()
          storage.enterWith('of the resolver')
          return before
        },
        () => storage.getStore()
      )
    )
  }
}

/** How often the `then` of a result that has none is read in each execution. */
export const readsOfThen: Scenario = async engine => {
  let reads = 0
  const schema = buildSchema('type Query { field: Item } type Item { name: String }')
  resolveWith(schema, 'Query', 'field', () => ({
    name: 'n',
    get then() {
      reads += 1
      return undefined
    }
  }))
  const operation = engine(schema, requestOf('{ field { name } }'))
  for (let round = 0; round < 40; round += 1) await operation(undefined, {})
  return reads / 40
}
