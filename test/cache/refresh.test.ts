import '../preload.js'
import { mercuriusFederationPlugin } from '@mercuriusjs/federation'
import Fastify, { type FastifyInstance } from 'fastify'
import { buildSchema, GraphQLObjectType } from 'graphql'
import mercurius from 'mercurius'
import mercuriusCache from 'mercurius-cache'
import { test, type Test } from 'tap'
import { trackedCache } from '../../src/cache/mercurius-cache.js'
import { mercuriusPerformance } from '../../src/plugin.js'
import { ask, TOKEN } from '../service.js'

process.env.PERFORMANCE_ADMIN_TOKEN = TOKEN
const schema = 'type Query { hello(name: String): String }'

interface Refreshed {
  readonly app: FastifyInstance
  /** How often the resolver has run. */
  readonly loads: { hello: number }
  readonly refresh: () => void
}

async function start(t: Test): Promise<Refreshed> {
  const loads = { hello: 0 }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema, resolvers: { Query: { hello: () => `hello ${++loads.hello}` } } })
  await app.register(mercuriusPerformance)
  await app.register(trackedCache(mercuriusCache.default), { ttl: 10, policy: { Query: { hello: true } } })
  await app.ready()
  return {
    app,
    loads,
    refresh: () => {
      app.graphql.cache?.refresh()
    }
  }
}

/** Hits and misses of `work`; the caches of a process are counted together. */
async function counted(app: FastifyInstance, name: string, work: () => Promise<void>): Promise<[number, number]> {
  const now = (): { hits: number; misses: number } =>
    app.performance.snapshot({ include: ['cache'] }).cache.byName.find(cache => cache.name === name) ?? {
      hits: 0,
      misses: 0
    }
  const before = now()
  await work()
  const after = now()
  return [after.hits - before.hits, after.misses - before.misses]
}

test('hits and misses go on being counted when the schema is replaced and the cache refreshed', async t => {
  const { app, refresh } = await start(t)
  await ask(app, '{ hello }')
  for (let round = 0; round < 2; round += 1) {
    const next = buildSchema(schema)
    const hello = next.getQueryType()?.getFields().hello
    if (hello !== undefined) hello.resolve = () => `new ${round}`
    app.graphql.replaceSchema(next)
    refresh()
    const found = await counted(app, 'Query.hello', async () => {
      for (let call = 0; call < 3; call += 1) {
        t.strictSame(await ask(app, '{ hello }'), { data: { hello: `new ${round}` } })
      }
    })
    t.strictSame(found, [2, 1])
  }
})

test('a cache that is refreshed around the one before is counted once, and says what it found itself', async t => {
  const { app, loads, refresh } = await start(t)
  await ask(app, '{ hello }')
  for (let round = 0; round < 3; round += 1) {
    refresh()
    // The cache around it is empty now; what it falls back to is the one before, and no other call.
    const found = await counted(app, 'Query.hello', async () => {
      for (let call = 0; call < 3; call += 1) await ask(app, '{ hello }')
    })
    t.strictSame(found, [2, 1])
  }
  t.equal(loads.hello, 1)
})

test('the resolver of a field goes on being counted when its cache is refreshed, each call once', async t => {
  const { app, refresh } = await start(t)
  const calls = (): number =>
    app.performance.snapshot({ include: ['resolvers'], name: 'Query.hello' }).resolvers[0]?.count ?? 0
  await ask(app, '{ hello }')
  for (let round = 0; round < 3; round += 1) {
    refresh()
    const before = calls()
    for (let call = 0; call < 3; call += 1) await ask(app, '{ hello }')
    t.equal(calls() - before, 3)
  }
})

test('a field that asks for itself with other arguments is counted for both', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const hello = async (_: unknown, { name }: { name?: string }): Promise<string> => {
    if (name !== undefined) return name
    const inner = await app.graphql('{ hello(name: "Ada") }')
    return `hello ${String(inner.data?.hello)}`
  }
  await app.register(mercurius, { schema, resolvers: { Query: { hello } } })
  await app.register(mercuriusPerformance)
  await app.register(trackedCache(mercuriusCache.default), { ttl: 10, policy: { Query: { hello: true } } })
  await app.ready()
  const found = await counted(app, 'Query.hello', async () => {
    for (let call = 0; call < 2; call += 1) {
      t.strictSame(await ask(app, '{ hello }'), { data: { hello: 'hello Ada' } })
    }
  })
  t.strictSame(found, [1, 2])
})

test('a refresh that fails fails for the application, and what is cached stays counted', async t => {
  const { app, refresh } = await start(t)
  await ask(app, '{ hello }')
  const query = app.graphql.schema.getQueryType()
  const hello = query?.getFields().hello
  const resolve = hello?.resolve
  if (hello !== undefined) delete hello.resolve
  t.throws(refresh, { message: /policies does not match schema: Query.hello/ })
  if (hello !== undefined && resolve !== undefined) hello.resolve = resolve
  t.strictSame(
    await counted(app, 'Query.hello', async () => {
      await ask(app, '{ hello }')
    }),
    [1, 0]
  )
})

test('what a federated service is asked for by reference is counted too', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  let loads = 0
  await app.register(mercuriusFederationPlugin, {
    schema: 'extend type Query { me: User } type User @key(fields: "id") { id: ID! name: String! }',
    resolvers: { User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `user ${id} ${++loads}` }) } }
  })
  await app.register(mercuriusPerformance)
  await app.register(trackedCache(mercuriusCache.default), { ttl: 10, policy: { User: { __resolveReference: true } } })
  await app.ready()
  t.ok(app.graphql.schema.getType('User') instanceof GraphQLObjectType)
  const query = 'query { _entities(representations: [{ __typename: "User", id: "7" }]) { ... on User { name } } }'
  const found = await counted(app, 'User.__resolveReference', async () => {
    for (let call = 0; call < 3; call += 1) {
      t.strictSame(await ask(app, query), { data: { _entities: [{ name: 'user 7 1' }] } })
    }
  })
  t.strictSame(found, [2, 1])
})
