import '../preload.js'
import { createRequire } from 'node:module'
import { mercuriusFederationPlugin } from '@mercuriusjs/federation'
import type { MercuriusGatewayOptions } from '@mercuriusjs/gateway'
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import { buildSchema, type GraphQLEnumType, type GraphQLInputObjectType, type GraphQLSchema } from 'graphql'
import mercurius from 'mercurius'
import { test, type Test } from 'tap'
import { mercuriusPerformance, type PluginOptions } from '../../src/plugin.js'
import { configure } from '../../src/process-monitor.js'
import { ask, service, TOKEN } from '../service.js'

process.env.PERFORMANCE_ADMIN_TOKEN = TOKEN
// Its types name an export that is not there.
const mercuriusGateway = createRequire(import.meta.url)(
  '@mercuriusjs/gateway'
) as FastifyPluginAsync<MercuriusGatewayOptions>
const metrics = '{ _performanceMetrics { resolvers { name count } } }'

/** A federated service: what the gateway asks it for are users by their id. */
async function subgraph(t: Test, plugin?: PluginOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercuriusFederationPlugin, {
    schema: 'extend type Query { me: User } type User @key(fields: "id") { id: ID! name: String! }',
    resolvers: {
      Query: { me: () => ({ id: '1', name: 'from the query' }) },
      User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `user ${id}` }) }
    }
  })
  if (plugin !== undefined) await app.register(mercuriusPerformance, plugin)
  return app
}

test('a federated service goes on answering for its entities, measured or not', async t => {
  t.teardown(() => {
    configure({ enabled: true })
  })
  const query = 'query { _entities(representations: [{ __typename: "User", id: "7" }]) { ... on User { name } } }'
  for (const plugin of [undefined, {}, { enabled: false }]) {
    const app = await subgraph(t, plugin)
    t.strictSame(await ask(app, query), { data: { _entities: [{ name: 'user 7' }] } })
  }
})

test('a schema that its maker took for valid is not validated because of our fields', async t => {
  const sdl = 'interface Product { upc: ID! price: Int } type Book implements Product @key(fields: "upc") { upc: ID! }'
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercuriusFederationPlugin, {
    schema: `extend type Query { book: Book } ${sdl}`,
    resolvers: { Query: { book: () => ({ upc: '1' }) } }
  })
  await app.register(mercuriusPerformance)
  await app.ready()
  const query = '{ book { upc _performance { resolverName } } }'
  const expected = { data: { book: { upc: '1', _performance: { resolverName: 'Query.book' } } } }
  t.strictSame(await ask(app, query), expected)
  app.graphql.replaceSchema(
    buildSchema(`type Query { book: Book } ${sdl.replace(/@key\S+ "upc"\)/, '')}`, { assumeValid: true })
  )
  app.graphql.defineResolvers({ Query: { book: () => ({ upc: '1' }) } })
  t.strictSame(await ask(app, query), expected)
})

test('a gateway starts, without the fields; its metrics can be scraped', async t => {
  const upstream = await subgraph(t)
  const url = `${await upstream.listen({ port: 0, host: '127.0.0.1' })}/graphql`
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'info', stream: { write: line => lines.push(line) } } })
  t.teardown(() => app.close())
  await app.register(mercuriusGateway, { gateway: { services: [{ name: 'users', url }] } })
  await app.register(mercuriusPerformance)
  await app.ready()
  t.strictSame(await ask(app, 'query Me { me { name } }'), { data: { me: { name: 'from the query' } } })
  t.match(await ask(app, metrics), { errors: [{ message: /Cannot query field "_performanceMetrics"/ }] })
  t.equal(lines.filter(line => line.includes('a gateway refuses to have its schema extended')).length, 1)
  const scraped = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } })
  t.match(scraped.body, /graphql_server_processing_duration_seconds_count\{[^}]*graphql_operation_name="Me"[^}]*\} 1\n/)
})

test('an app whose subscriptions are switched off, with their resolvers still there, starts', async t => {
  const app = await service({
    schema: 'type Query { hello: String } type Subscription { tick: Int }',
    resolvers: {
      Query: { hello: () => 'hello' },
      Subscription: { tick: { subscribe: () => Promise.reject(new Error('nobody')) } } as never
    }
  })
  t.teardown(() => app.close())
  t.strictSame(await ask(app, '{ hello }'), { data: { hello: 'hello' } })
  const { resolve } = app.graphql.schema.getSubscriptionType()?.getFields().tick ?? {}
  t.type(resolve, 'object', 'what was there is there')
})

test('what graphql-js forgets of a schema that is extended stays: descriptions and extensions', async t => {
  const extended = buildSchema('"""All there is""" schema { query: Query } type Query { hello: String }')
  extended.extensions = { own: 'kept' }
  Object.assign(extended.getQueryType()?.getFields().hello ?? {}, { complexity: 3 })
  const app = await service({ schema: extended })
  t.teardown(() => app.close())
  const { schema } = app.graphql
  t.not(schema, extended)
  t.match(schema, { description: 'All there is', extensions: { own: 'kept' } })
  t.match(schema.getQueryType()?.getFields().hello, { complexity: 3 })
})

test('what others have put on the parts of a schema stays, under whatever key', async t => {
  const mark = Symbol('mark')
  const parts = (schema: GraphQLSchema): object[] => {
    const { hello } = schema.getQueryType()?.getFields() ?? {}
    const colour = schema.getType('Colour') as GraphQLEnumType
    const filter = schema.getType('Filter') as GraphQLInputObjectType
    const found = [
      hello,
      hello?.args[0],
      colour,
      colour.getValues()[0],
      filter.getFields().text,
      schema.getDirective('own')
    ]
    return [schema, ...found.filter(part => part !== undefined && part !== null)]
  }
  const extended = buildSchema(`
    directive @own(reason: String) on FIELD_DEFINITION
    enum Colour { RED }
    input Filter { text: String }
    type Query { hello(filter: Filter): Colour }
  `)
  for (const part of parts(extended)) {
    Object.assign(part, { [mark]: 'kept' })
    Object.defineProperty(part, 'hidden', { value: 'kept' })
  }
  const app = await service({ schema: extended })
  t.teardown(() => app.close())
  const after = parts(app.graphql.schema)
  t.equal(after.length, 7)
  for (const part of after) t.match(part, { [mark]: 'kept', hidden: 'kept' })
})

for (const when of ['before the start', 'while the app runs']) {
  test(`a schema that replaces the first one ${when} has our fields at once`, async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(mercurius, { schema: 'type Query { old: String }' })
    await app.register(mercuriusPerformance)
    if (when === 'while the app runs') await app.ready()
    app.graphql.replaceSchema(buildSchema('type Query { item: Item } type Item { name: String }'))
    app.graphql.defineResolvers({ Query: { item: () => ({ name: 'one' }) } })
    await app.ready()
    t.match(await ask(app, '{ item { name _performance { resolverName } } }'), {
      data: { item: { name: 'one', _performance: { resolverName: 'Query.item' } } }
    })
    t.match(await ask(app, metrics), { data: { _performanceMetrics: { resolvers: [{ name: String }] } } })
  })
}

test('a schema at run time that cannot take our fields is executed without them, and one line says why', async t => {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: line => lines.push(line) } } })
  t.teardown(() => app.close())
  await app.register(mercurius, { schema: 'type Query { old: String }' })
  await app.register(mercuriusPerformance)
  await app.ready()
  app.graphql.replaceSchema(buildSchema('type Query { mine: FieldPerformance } type FieldPerformance { a: Int }'))
  app.graphql.defineResolvers({ Query: { mine: () => ({ a: 1 }) } })
  t.strictSame(await ask(app, '{ mine { a } }'), { data: { mine: { a: 1 } } })
  t.equal(lines.length, 1, lines.join())
  t.match(lines, [/MPERF_SCHEMA_CONFLICT/])
})
