/** A Mercurius service that keeps books of its own on what it executes, to compare with what the monitor counts. */
import Fastify from 'fastify'
import type { DocumentNode, GraphQLResolveInfo } from 'graphql'
import mercurius, { type MercuriusContext } from 'mercurius'
import mercuriusPerformance from 'mercurius-performance'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { answerWith } from '../../peer.js'
import { begin, booked, calls, end, note, operations, runningNow, type Counts, type Report } from './books.js'

interface Item {
  readonly id: number
  /** A loader is asked once for objects that are alike, and each call is to reach the books. */
  readonly serial: number
}

let items = 0

function item(id: number): Item {
  items += 1
  return { id, serial: items }
}

const schema = `
  type Query { item(id: ID!): Item  items(count: Int!): [Item!]!  sync: String  fails: String  slow(wait: Int!): Item }
  type Mutation { publish(count: Int!): Int  rename(id: ID!): Item }
  type Subscription { ticked: Tick  odd: Tick }
  type Tick { at: Int  label: String  item: Item  fails: String }
  type Item { id: ID!  name: String  parent: Item  loaded: String }
`

/** The field of a subscription; each event's execution is entered in the books. */
function subscription(name: 'ticked' | 'odd') {
  return {
    subscribe: async (_source: unknown, _args: unknown, { pubsub }: MercuriusContext, info: GraphQLResolveInfo) => {
      note(calls, `Subscription.${info.fieldName} (subscribe)`, 1, 0)
      return pubsub.subscribe('tick')
    },
    resolve: booked((event: { at: number }, _args, _context, info) => {
      const fails = info.fieldNodes.some(({ selectionSet }) =>
        selectionSet?.selections.some(selection => 'name' in selection && selection.name.value === 'fails')
      )
      const isOdd = name === 'odd' && event.at % 2 === 1
      note(operations, info.operation.name?.value ?? '', 1, fails || isOdd ? 1 : 0)
      if (isOdd) throw new Error('odd')
      return event
    })
  }
}

const app = Fastify()
await app.register(mercurius, {
  schema,
  resolvers: {
    Query: {
      item: booked(async (_source, { id }) => {
        await delay(1)
        return item(Number(id))
      }),
      items: booked((_source, { count = 0 }) => Array.from({ length: count }, (_item, id) => item(id))),
      sync: booked(() => 'sync'),
      fails: booked(() => {
        throw new Error('fails')
      }),
      slow: booked(async (_source, { wait }) => {
        await delay(wait)
        return item(1)
      })
    },
    Mutation: {
      publish: booked(async (_source, { count = 0 }, { pubsub }) => {
        for (let at = 0; at < count; at += 1) {
          pubsub.publish({ topic: 'tick', payload: { at } })
          await delay(0)
        }
        return count
      }),
      rename: booked(async (_source, { id }) => Promise.resolve(item(Number(id))))
    },
    Subscription: { ticked: subscription('ticked'), odd: subscription('odd') },
    Tick: {
      label: booked(({ at }: { at: number }) => `tick ${at}`),
      item: booked(async ({ at }: { at: number }) => {
        await delay(1)
        return item(at)
      }),
      fails: booked(() => Promise.reject(new Error('fails')))
    },
    Item: {
      name: booked(({ id }: Item) => `item ${id}`),
      parent: booked(async ({ id }: Item) => Promise.resolve(item(id + 10)))
    }
  },
  loaders: {
    Item: {
      loaded: {
        loader: async (batch: unknown[]) => {
          note(calls, 'Item.loaded', batch.length, 0)
          return Promise.resolve(batch.map(() => 'loaded'))
        },
        // With it, a call that is answered from the cache would not reach the books.
        opts: { cache: false }
      }
    }
  },
  subscription: { fullWsTransport: true },
  allowBatchedQueries: true,
  jit: Number(process.env.JIT ?? 0)
})
await app.register(mercuriusPerformance)

app.graphql.addHook('onResolution', async ({ errors }, context) => {
  end(operations, (context as Named).operation ?? '', errors !== undefined && errors.length > 0)
})
app.graphql.addHook('preExecution', async (_schema, document, context) => {
  begin()
  Object.assign(context, { operation: nameOf(document) })
})

interface Named {
  readonly operation?: string
}

function nameOf({ definitions }: DocumentNode): string {
  const [first] = definitions
  return first !== undefined && 'operation' in first ? (first.name?.value ?? '') : ''
}

await app.listen({ host: '127.0.0.1', port: 0 })

answerWith(async (asked): Promise<number | Report> => {
  if (asked === 'port') return (app.server.address() as AddressInfo).port
  // Nothing has begun or ended for a while.
  for (let quiet = 0; quiet < 5; quiet += 1) {
    await delay(20)
    if (runningNow() > 0) quiet = 0
  }
  const { resolvers, operations: counted } = app.performance.snapshot()
  return {
    executed: { resolvers: sorted(calls), operations: sorted(operations) },
    counted: {
      resolvers: sorted(resolvers.map(({ name, count, errorCount }) => [name, [count, errorCount]])),
      operations: sorted(counted.map(({ name, count, errorCount }) => [name, [count, errorCount]]))
    }
  }
})

function sorted(rows: Iterable<[string, [number, number]]>): Counts {
  return Object.fromEntries([...rows].sort(([one], [other]) => (one < other ? -1 : 1)))
}
