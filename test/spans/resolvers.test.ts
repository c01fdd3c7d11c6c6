import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { GraphQLResolveInfo } from 'graphql'
import type { MercuriusOptions } from 'mercurius'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { ask, service } from '../service.js'

const schema = `
  type Query { item(id: ID!, note: String): Item  items(count: Int!): [Item!]!  sync: String  fails: String  rejects: String
    thenable: String  nothing: String  list: [String]  plain: Plain }
  type Mutation { rename(name: String!): Item }
  type Subscription { ticked: Tick }
  type Plain { value: String }
  type Tick { at: Int  label: String }
  type Item { id: ID!  name: String  parent: Item  loaded: String }
`

let thens = 0

const resolvers = {
  Query: {
    item: async (_: unknown, { id }: { id: string }) => {
      await delay(1)
      return { id }
    },
    items: (_: unknown, { count }: { count: number }) => Array.from({ length: count }, (_item, id) => ({ id })),
    sync: () => 'sync',
    fails: () => {
      throw new Error('thrown')
    },
    rejects: () => Promise.reject(new Error('rejected')),
    // A lazy query builder, as some are: each call of `then` would run it again.
    thenable: () => ({
      then: (fulfilled: (value: string) => unknown, rejected: (reason: unknown) => unknown) => {
        thens += 1
        return Promise.resolve('then').then(fulfilled, rejected)
      }
    }),
    nothing: () => null,
    list: () => [Promise.resolve('a'), 'b']
  },
  Mutation: { rename: async (_: unknown, { name }: { name: string }) => Promise.resolve({ id: 1, name }) },
  Item: {
    name: ({ id }: { id: string }) => `name ${id}`,
    parent: async ({ id }: { id: string }) => Promise.resolve({ id: `${id}0` })
  }
}

const loaders = { Item: { loaded: async (batch: unknown[]) => Promise.resolve(batch.map(() => 'loaded')) } }

async function start(options: Partial<MercuriusOptions> = {}): Promise<FastifyInstance> {
  return service({ schema, resolvers, loaders: loaders, ...options })
}

function counts(app: FastifyInstance): Map<string, [number, number]> {
  const { resolvers: rows } = app.performance.snapshot({ include: ['resolvers'] })
  return new Map(rows.map(({ name, count, errorCount }) => [name, [count, errorCount]]))
}

function since(before: Map<string, [number, number]>, after: Map<string, [number, number]>): Record<string, number[]> {
  const grown = [...after].map(([name, [count, errors]]): [string, number[]] => {
    const [countBefore, errorsBefore] = before.get(name) ?? [0, 0]
    return [name, [count - countBefore, errors - errorsBefore]]
  })
  return Object.fromEntries(grown.filter(([, [count]]) => count !== 0).sort(([one], [other]) => (one < other ? -1 : 1)))
}

const documents = [
  'query Items { items(count: 10) { id name parent { name loaded } loaded } }',
  'query One { item(id: 7, note: "x") { name } sync nothing list }',
  'query Failing { fails rejects sync }',
  '{ __proto__: sync constructor: sync toString: sync hasOwnProperty: item(id: 1) { valueOf: name } }',
  'mutation Rename { rename(name: "new") { name parent { id } } }',
  '{ ...Parts } fragment Parts on Query { items(count: 2) { ...Names } } fragment Names on Item { name }',
  '{ thenable plain { value } __typename }'
]

for (const jit of [0, 1]) {
  test(`${jit === 0 ? 'graphql-js' : 'graphql-jit'}: every call is counted, with 50 requests in flight`, async t => {
    const app = await start({ jit })
    t.teardown(() => app.close())
    const before = counts(app)
    await Promise.all(Array.from({ length: 50 }, (_, index) => ask(app, documents[index % 5] ?? '')))
    t.strictSame(since(before, counts(app)), {
      'Item.loaded': [10 * 20, 0],
      'Item.name': [10 * 20 + 10 + 10 + 10, 0],
      'Item.parent': [10 * 10 + 10, 0],
      'Mutation.rename': [10, 0],
      'Query.fails': [10, 10],
      'Query.item': [20, 0],
      'Query.items': [10, 0],
      'Query.list': [10, 0],
      'Query.nothing': [10, 0],
      'Query.rejects': [10, 10],
      'Query.sync': [10 + 10 + 30, 0]
    })
    const operations = app.performance.snapshot({ name: 'Failing' }).operations
    t.ok(operations[0]?.count === operations[0]?.errorCount)
  })

  test(`${jit === 0 ? 'graphql-js' : 'graphql-jit'}: answers are the same, byte by byte, as without the monitor`, async t => {
    const app = await start({ jit })
    t.teardown(() => app.close())
    for (const query of documents) {
      // What the engines answer by themselves differs at times, so let the query be compiled first.
      for (let round = 0; round < 3; round += 1) await ask(app, query)
      const answers = new Set<string>()
      for (const enabled of [true, false, true, false, true]) {
        app.performance.configure({ enabled })
        answers.add(JSON.stringify(await ask(app, query)))
      }
      t.equal(answers.size, 1, [...answers].join(' | '))
    }
    app.performance.configure({ enabled: true })
  })
}

test('_performance answers under graphql-jit too', async t => {
  const app = await start({ jit: 1 })
  t.teardown(() => app.close())
  const query =
    '{ items(count: 2) { parent { name _performance { resolverName executionTime } } _performance { resolverName } } }'
  for (let round = 0; round < 4; round += 1) {
    const { data } = await ask(app, query)
    t.match(data, {
      items: [
        { parent: { _performance: { resolverName: 'Item.parent' } }, _performance: { resolverName: 'Query.items' } },
        { parent: { _performance: { resolverName: 'Item.parent' } }, _performance: { resolverName: 'Query.items' } }
      ]
    })
  }
})

test('a thenable is asked once', async t => {
  const app = await start()
  t.teardown(() => app.close())
  thens = 0
  t.strictSame((await ask(app, '{ thenable }')).data, { thenable: 'then' })
  t.equal(thens, 1)
})

test('arguments, `this`, errors and promises pass through as they are', async t => {
  const promise = Promise.resolve('kept')
  const error = new Error('the very same')
  const seen: unknown[] = []
  const own = {
    Query: {
      sync(this: unknown, ...given: unknown[]) {
        seen.push(this, given.length, given[1], (given[3] as GraphQLResolveInfo).fieldName)
        return promise
      },
      fails: () => {
        throw error
      }
    }
  }
  const app = await service({ schema, resolvers: own })
  t.teardown(() => app.close())
  await ask(app, '{ sync }')
  t.strictSame(seen, [undefined, 4, {}, 'sync'])
  const field = app.graphql.schema.getQueryType()?.getFields().sync
  const context = {}
  t.equal(field?.resolve?.(undefined, {}, context, {} as GraphQLResolveInfo), promise, 'outside of an operation')
  const { execute, parse } = await import('graphql')
  const result = await execute({ schema: app.graphql.schema, document: parse('{ fails }'), contextValue: {} })
  t.equal(result.errors?.[0]?.originalError, error)
})

test('resolvers that come later, by extension, replacement or definition, are measured', async t => {
  const app = await start()
  t.teardown(() => app.close())
  await ask(app, '{ sync }')
  app.graphql.extendSchema('extend type Query { later: String }')
  app.graphql.defineResolvers({ Query: { later: () => 'later' } })
  await ask(app, '{ later sync }')
  t.equal(app.performance.snapshot({ name: 'Query.later' }).resolvers[0]?.count, 1)
})

test('a resolver that is sync at first and waits later goes on being measured', async t => {
  let calls = 0
  const own = {
    Query: {
      sync: () => {
        calls += 1
        return calls < 40 ? 'sync' : delay(5, 'later')
      }
    }
  }
  const app = await service({ schema, resolvers: own })
  t.teardown(() => app.close())
  const before = app.performance.snapshot({ name: 'Query.sync' }).resolvers[0]?.count ?? 0
  for (let index = 0; index < 50; index += 1) await ask(app, '{ sync }')
  const after = app.performance.snapshot({ name: 'Query.sync' }).resolvers[0]
  t.equal(after?.count, before + 50)
  t.ok((after?.maxTime ?? 0) > 0.003)
})

test('a context that is frozen, and a root value that is a function, do no harm', async t => {
  const { execute, parse } = await import('graphql')
  const app = await start()
  t.teardown(() => app.close())
  const document = parse('{ sync plain { value } }')
  const rootValue = { plain: () => ({ value: 'v' }) }
  for (const contextValue of [undefined, null, Object.freeze({}), 'text', 7]) {
    const result = await execute({ schema: app.graphql.schema, document, rootValue, contextValue })
    t.strictSame(JSON.parse(JSON.stringify(result)), { data: { sync: 'sync', plain: { value: 'v' } } })
  }
})

test('heap after 20,000 operations equals heap after 2,000: nothing of an operation outlives it', async t => {
  const app = await start({ jit: 1 })
  t.teardown(() => app.close())
  const run = async (operations: number): Promise<number> => {
    for (let index = 0; index < operations; index += 1) {
      await app.graphql('query Items { items(count: 3) { name parent { name } } }', { big: Buffer.alloc(10_000) })
    }
    return retainedBytes()
  }
  const before = await run(2000)
  const grown = (await run(20_000)) - before
  // What V8 compiles and lets go again is a mebibyte more or less; the contexts are 200.
  t.ok(grown < 4 * MEBIBYTE, `grew by ${grown} bytes`)
  t.equal(processMonitor().faults.faults, 0)
})
