/** A Mercurius service that executes what it is sent and then tells what the monitor counted. */
import Fastify from 'fastify'
import mercurius from 'mercurius'
import mercuriusPerformance from 'mercurius-performance'
import { setTimeout as delay } from 'node:timers/promises'
import { answerWith } from '../../peer.js'
import type { Request } from './operations.js'

export interface Counts {
  /** Calls and errors by `Type.field`. */
  readonly resolvers: readonly (readonly [string, number, number])[]
  /** Type, executions and errors by name. */
  readonly operations: readonly (readonly [string, string, number, number])[]
}

const schema = `
  type Query { item(id: ID!, note: String): Item  items(count: Int!, page: Page): [Item!]!  search(text: String): [Result]
    sync: String  fails: String  rejects: String  strict: Strict  thenable: String  nothing: Item  list: [String]  plain: Plain }
  type Mutation { rename(id: ID!, name: String): Item  refuse(id: ID!): Item }
  input Page { offset: Int = 0  tags: [String!] }
  type Plain { value: String }
  type Strict { fails: String!  fine: String }
  interface Named { name: String }
  union Result = Item | Person
  type Item implements Named { id: ID!  name: String  parent: Item  loaded: String  owner: Person!  odd: String  related(first: Int): [Item] }
  type Person implements Named { name: String  items: [Item!] }
`

interface Item {
  readonly id: number
}

const items = (count: number): Item[] => Array.from({ length: count }, (_, id) => ({ id }))

const resolvers = {
  Query: {
    item: async (_: unknown, { id }: { id: string }) => {
      await delay(1)
      return Number(id) < 0 ? null : { id: Number(id) }
    },
    items: (_: unknown, { count }: { count: number }) => items(count),
    search: () => [{ id: 1, __typename: 'Item' }, { name: 'Ada', __typename: 'Person' }, null],
    sync: () => 'sync',
    fails: () => {
      throw new Error('thrown')
    },
    rejects: () => Promise.reject(new Error('rejected')),
    strict: () => ({}),
    thenable: () => ({ then: (fulfilled: (value: string) => unknown) => Promise.resolve('then').then(fulfilled) }),
    nothing: () => null,
    list: () => [Promise.resolve('a'), 'b', Promise.reject(new Error('an item'))]
  },
  Mutation: {
    rename: async (_: unknown, { id, name }: { id: string; name?: string }) =>
      Promise.resolve({ id: Number(id), name }),
    refuse: () => {
      throw new Error('refused')
    }
  },
  Strict: {
    fails: () => {
      throw new Error('strictly')
    },
    fine: () => 'fine'
  },
  Item: {
    name: ({ id }: Item) => `name ${id}`,
    parent: async ({ id }: Item) => Promise.resolve(id % 3 === 0 ? null : { id: id + 10 }),
    owner: ({ id }: Item) => ({ name: `owner ${id}` }),
    odd: async ({ id }: Item) => {
      await delay(0)
      if (id % 2 === 1) throw new Error('odd')
      return 'even'
    },
    related: ({ id }: Item, { first = 2 }: { first?: number }) => items(first).map(item => ({ id: item.id + id }))
  },
  Person: { items: async () => Promise.resolve(items(2)) }
}

const loaders = { Item: { loaded: async (batch: unknown[]) => Promise.resolve(batch.map(() => 'loaded')) } }

const app = Fastify()
await app.register(mercurius, { schema, resolvers, loaders, jit: Number(process.env.JIT ?? 0) })
await app.register(mercuriusPerformance)
await app.ready()

answerWith(async (asked): Promise<Counts> => {
  const requests = asked as readonly Request[]
  for (const payload of requests) {
    const response = await app.inject({ method: 'POST', url: '/graphql', payload })
    if (response.statusCode !== 200) throw new Error(`${JSON.stringify(payload)}: ${response.body}`)
  }
  const { resolvers, operations } = app.performance.snapshot()
  return {
    resolvers: resolvers.map(({ name, count, errorCount }) => [name, count, errorCount] as const).sort(byName),
    operations: operations
      .map(({ name, operationType, count, errorCount }) => [name, operationType, count, errorCount] as const)
      .sort(byName)
  }
})

function byName([one]: readonly [string, ...unknown[]], [other]: readonly [string, ...unknown[]]): number {
  return one < other ? -1 : 1
}
