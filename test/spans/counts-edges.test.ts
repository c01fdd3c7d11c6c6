import '../environment.js'
import 'mercurius-performance/register'
import Fastify from 'fastify'
import { buildSchema, executeSync, graphqlSync, parse, type GraphQLSchema } from 'graphql'
import mercurius, { type MercuriusOptions } from 'mercurius'
import mercuriusPerformance from 'mercurius-performance'
import { test, type Test } from 'tap'
import { processMonitor } from '../../dist/process-monitor.js'
import { engines, requestOf, resolveWith } from './pass-through/engines.js'

async function serve(t: Test, options: MercuriusOptions) {
  const app = Fastify()
  await app.register(mercurius, options)
  await app.register(mercuriusPerformance)
  await app.ready()
  t.teardown(() => app.close())
  return app
}

const countOf = (kind: 'resolvers' | 'operations', name: string): number =>
  processMonitor()
    .snapshot({ include: [kind] })
    [kind].find(row => row.name === name)?.count ?? 0

let schemas = 0

/** A schema with one resolver, under names that nothing else has. */
function schemaWith(resolve: () => unknown): { schema: GraphQLSchema; name: string } {
  schemas += 1
  const schema = buildSchema(`type Query { edge${schemas}: String }`)
  resolveWith(schema, 'Query', `edge${schemas}`, resolve)
  return { schema, name: `edge${schemas}` }
}

for (const [engine, prepare] of engines) {
  test(`${engine}: calls are counted whatever the context is`, async t => {
    const contexts: Record<string, unknown> = {
      'an object': {},
      undefined: undefined,
      null: null,
      text: 'text',
      'a number': 7,
      'a function': () => undefined,
      'a frozen object': Object.freeze({}),
      'a sealed object': Object.seal({})
    }
    for (const [kind, context] of Object.entries(contexts)) {
      const { schema, name } = schemaWith(() => 'value')
      await prepare(schema, requestOf(`{ ${name} }`))(undefined, context)
      t.equal(countOf('resolvers', `Query.${name}`), 1, kind)
    }
  })

  test(`${engine}: a call whose result cannot be asked for its then is counted`, async t => {
    const { schema, name } = schemaWith(() => ({
      get then() {
        throw new Error('not to be read')
      }
    }))
    await Promise.resolve()
      .then(() => prepare(schema, requestOf(`{ ${name} }`))(undefined, {}))
      .catch(() => undefined)
    t.equal(countOf('resolvers', `Query.${name}`), 1)
  })

  test(`${engine}: a resolver that the app wraps after its first execution is counted once a call`, async t => {
    const { schema, name } = schemaWith(() => 'value')
    const request = requestOf(`{ ${name} }`)
    await prepare(schema, request)(undefined, {})
    const inner = schema.getQueryType()?.getFields()[name]?.resolve
    resolveWith(schema, 'Query', name, function (this: unknown, ...given) {
      return inner?.apply(this, given)
    })
    await prepare(schema, request)(undefined, {})
    t.equal(countOf('resolvers', `Query.${name}`), 2)
  })
}

test('an operation that asks for nothing but __typename is counted', async t => {
  const app = await serve(t, { schema: 'type Query { hello: String }' })
  await app.graphql('query Health { __typename }')
  t.equal(countOf('operations', 'Health'), 1)
})

test('operations that are executed synchronously are counted', async t => {
  const { schema, name } = schemaWith(() => 'value')
  graphqlSync({ schema, source: `query Source { ${name} }`, contextValue: {} })
  t.equal(countOf('operations', 'Source'), 1, 'graphqlSync')
  executeSync({ schema, document: parse(`query Sync { ${name} }`), contextValue: {} })
  t.equal(countOf('operations', 'Sync'), 1, 'executeSync')
  t.equal(countOf('resolvers', `Query.${name}`), 2)
})
