import '../preload.js'
import { execute, parse, type GraphQLFieldResolver, type GraphQLResolveInfo, type GraphQLSchema } from 'graphql'
import { test, type Test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { ask, service } from '../service.js'

const schema = 'type Query { value: String  item: Item }  type Item { name: String }'

type Resolve = GraphQLFieldResolver<unknown, unknown>

function fieldOf(of: GraphQLSchema, name: string): { resolve?: Resolve } {
  const field = of.getQueryType()?.getFields()[name]
  if (field === undefined) throw new Error(`no field ${name}`)
  return field
}

function countOf(name: string): number {
  return processMonitor().snapshot({ include: ['resolvers'], name }).resolvers[0]?.count ?? 0
}

async function grownBy(name: string, work: () => Promise<unknown>): Promise<number> {
  const before = countOf(name)
  await work()
  return countOf(name) - before
}

test('resolvers that are defined anew on a schema that was executed already are measured', async t => {
  const app = await service({ schema, resolvers: { Query: { value: () => 'old' } } })
  t.teardown(() => app.close())
  await ask(app, '{ value }')
  app.graphql.defineResolvers({ Query: { value: () => 'new', item: () => ({ name: 'one' }) } })
  const items = await grownBy('Query.item', async () => {
    const values = await grownBy('Query.value', async () => {
      t.strictSame((await ask(app, '{ value item { name } }')).data, { value: 'new', item: { name: 'one' } })
    })
    t.equal(values, 1)
  })
  t.equal(items, 1)
})

test('a schema that replaces another at run time is measured', async t => {
  const app = await service({ schema, resolvers: { Query: { value: () => 'old' } } })
  const other = await service({ schema, resolvers: { Query: { value: () => 'replaced' } } })
  t.teardown(() => Promise.all([app.close(), other.close()]))
  await ask(app, '{ value }')
  app.graphql.replaceSchema(other.graphql.schema)
  const grown = await grownBy('Query.value', async () => {
    t.strictSame((await ask(app, '{ value }')).data, { value: 'replaced' })
  })
  t.equal(grown, 1)
})

for (const jit of [0, 1]) {
  test(`a resolver that a plugin wraps after the first execution counts once; jit: ${jit}`, async t => {
    const app = await service({ schema, jit, resolvers: { Query: { value: async () => Promise.resolve('inner') } } })
    t.teardown(() => app.close())
    await ask(app, '{ value }')
    const field = fieldOf(app.graphql.schema, 'value')
    const inner = field.resolve
    field.resolve = async (...given) => `outer ${String(await inner?.(...given))}`
    processMonitor().schemaChanged()
    const grown = await grownBy('Query.value', async () => {
      for (let round = 0; round < 5; round += 1) {
        t.strictSame((await ask(app, '{ again: value }')).data, { again: 'outer inner' })
      }
    })
    t.equal(grown, 5)
  })
}

test('whoever wraps a measured resolver gets the very promise that the resolver returned', async t => {
  const promise = Promise.resolve('kept')
  const app = await service({ schema, resolvers: { Query: { value: () => promise } } })
  t.teardown(() => app.close())
  await ask(app, '{ value }')
  const field = fieldOf(app.graphql.schema, 'value')
  const inner = field.resolve
  const seen: unknown[] = []
  field.resolve = (...given): unknown => {
    const result: unknown = inner?.(...given)
    seen.push(result)
    return result
  }
  const grown = await grownBy('Query.value', () => ask(app, '{ value }'))
  t.equal(seen[0], promise)
  t.equal(grown, 1)
})

test('what an engine is given for a promise is one in every respect that code can ask for', async t => {
  const error = new Error('rejected')
  const own = { Query: { value: () => Promise.reject(error), item: async () => Promise.resolve({ name: 'one' }) } }
  const app = await service({ schema, resolvers: own })
  t.teardown(() => app.close())
  await ask(app, '{ value item { name } }')
  // Called by hand, as a resolver that delegates to another does.
  const direct: Promise<unknown>[] = []
  app.graphql.defineResolvers({
    Item: {
      name: (_: unknown, __: unknown, context: unknown, info: GraphQLResolveInfo) => {
        for (const name of ['value', 'item']) {
          direct.push(fieldOf(app.graphql.schema, name).resolve?.({}, {}, context, info) as Promise<unknown>)
        }
        return 'one'
      }
    }
  })
  await ask(app, '{ item { name } }')
  const [rejected, resolved] = direct
  t.ok(rejected instanceof Promise && resolved instanceof Promise)
  t.strictSame(await resolved, { name: 'one' })
  t.strictSame(await Promise.all([resolved]), [{ name: 'one' }])
  let finished = false
  await resolved?.finally(() => (finished = true))
  t.ok(finished)
  t.equal(await rejected?.catch((reason: unknown) => reason), error)
  await t.rejects(Promise.resolve(rejected), error)
})

test('a rejection that nobody handles is still one', async t => {
  const own = { Query: { value: () => 'sync', item: () => ({ name: 'one' }) } }
  const app = await service({ schema, resolvers: own })
  t.teardown(() => app.close())
  await ask(app, '{ value item { name } }')
  const error = new Error('nobody handles it')
  const unhandled = new Promise(resolve => process.once('unhandledRejection', resolve))
  app.graphql.defineResolvers({
    Query: { value: () => Promise.reject(error) },
    Item: {
      name: (_: unknown, __: unknown, context: unknown, info: GraphQLResolveInfo) => {
        // Measured, as it is called in an operation; whoever calls it lets the promise drop.
        fieldOf(app.graphql.schema, 'value').resolve?.({}, {}, context, info)
        return 'one'
      }
    }
  })
  await ask(app, '{ item { name } }')
  t.equal(await unhandled, error)
})

test('graphql-js without Mercurius is measured too, whatever the context value is', async t => {
  const app = await service({ schema, resolvers: { Query: { value: async () => Promise.resolve('v') } } })
  t.teardown(() => app.close())
  const document = parse('query Values { a: value b: value }')
  for (const contextValue of [undefined, null, 'text', 7, Object.freeze({}), () => undefined, {}]) {
    const seen: unknown[] = []
    app.graphql.defineResolvers({
      Query: {
        value: async (_: unknown, __: unknown, context: unknown) => {
          seen.push(context)
          return Promise.resolve('v')
        }
      }
    })
    const grown = await grownBy('Query.value', async () => {
      await execute({ schema: app.graphql.schema, document, contextValue })
    })
    t.equal(grown, 2, `context value of type ${typeof contextValue}`)
    t.ok(seen.length === 2 && seen.every(context => context === contextValue), 'it arrives as it was given')
  }
})

test('a resolver that a schema transform wraps and carries into another schema counts once', async t => {
  const app = await service({ schema, resolvers: { Query: { value: () => 'inner' } } })
  t.teardown(() => app.close())
  await ask(app, '{ value }')
  const inner = fieldOf(app.graphql.schema, 'value').resolve
  const carried = (...given: Parameters<Resolve>): unknown => inner?.(...given)
  const other = await service({ schema, resolvers: { Query: { value: carried } } })
  t.teardown(() => other.close())
  const grown = await grownBy('Query.value', async () => {
    for (let round = 0; round < 3; round += 1) t.strictSame((await ask(other, '{ value }')).data, { value: 'inner' })
  })
  t.equal(grown, 3)
})

test('a measured resolver that is called by hand without the info does no harm', async t => {
  const app = await service({ schema, resolvers: { Query: { value: () => 'sync', item: () => ({}) } } })
  t.teardown(() => app.close())
  await ask(app, '{ value }')
  const field = fieldOf(app.graphql.schema, 'value')
  const inner = field.resolve
  field.resolve = (...given): unknown => inner?.(...given)
  processMonitor().schemaChanged()
  await ask(app, '{ value }')
  app.graphql.defineResolvers({
    Item: {
      name: (_: unknown, __: unknown, context: unknown) =>
        String(fieldOf(app.graphql.schema, 'value').resolve?.({}, {}, context, undefined as never))
    }
  })
  t.strictSame((await ask(app, '{ item { name } }')).data, { item: { name: 'sync' } })
})

test('a promise of a class that makes no second one is left to whoever wraps its resolver', async t => {
  class Single extends Promise<unknown> {
    static isMade = false
    constructor(executor: ConstructorParameters<typeof Promise>[0]) {
      if (Single.isMade) throw new Error('there is one already')
      super(executor)
      Single.isMade = true
    }
  }
  await isLeftToAWrapper(t, Single.resolve('kept'))
})

test('something like a promise that settles twice is one call', async t => {
  const twice = Object.assign(Object.create(Promise.prototype) as object, {
    then: (fulfilled: (value: string) => void) => {
      fulfilled('first')
      fulfilled('second')
    }
  })
  await isLeftToAWrapper(t, twice)
})

for (const jit of [0, 1]) {
  test(`whoever wraps a resolver that returns a query builder can use its methods; jit: ${jit}`, async t => {
    class Builder {
      static asked = 0
      #limit = 0
      limit(count: number): this {
        this.#limit = count
        return this
      }
      then(fulfilled: (value: string) => unknown): unknown {
        Builder.asked += 1
        return Promise.resolve(`at most ${this.#limit}`).then(fulfilled)
      }
    }
    const app = await service({ schema, jit, resolvers: { Query: { value: () => new Builder() } } })
    t.teardown(() => app.close())
    await ask(app, '{ value }')
    const field = fieldOf(app.graphql.schema, 'value')
    const inner = field.resolve
    field.resolve = (...given): unknown => (inner?.(...given) as Builder).limit(10)
    for (const isKnown of [false, true]) {
      if (isKnown) processMonitor().schemaChanged()
      Builder.asked = 0
      const grown = await grownBy('Query.value', async () => {
        for (let round = 0; round < 3; round += 1) {
          t.strictSame((await ask(app, `{ known${isKnown}: value }`)).data, { [`known${isKnown}`]: 'at most 10' })
        }
      })
      t.equal(grown, 3)
      t.equal(Builder.asked, 3, 'nobody but the engine asks for the result')
    }
  })
}

/** Whoever wraps a measured resolver gets the very object that it returned, and the call is counted once. */
async function isLeftToAWrapper(t: Test, returned: object): Promise<void> {
  const app = await service({ schema, resolvers: { Query: { value: () => returned } } })
  t.teardown(() => app.close())
  const field = fieldOf(app.graphql.schema, 'value')
  // Wrapped once, by the execution of a document that does not ask for it.
  await ask(app, '{ item { name } }')
  const inner = field.resolve
  field.resolve = (...given): unknown => (inner?.(...given) === returned ? 'the very same' : 'another')
  const grown = await grownBy('Query.value', async () => {
    t.strictSame((await ask(app, '{ value }')).data, { value: 'the very same' })
  })
  t.equal(grown, 1)
}
