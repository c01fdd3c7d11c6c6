import '../preload.js'
import Fastify, { type FastifyInstance } from 'fastify'
import { buildSchema, printSchema, type GraphQLSchema } from 'graphql'
import mercurius from 'mercurius'
import { test, type Test } from 'tap'
import { mercuriusPerformance } from '../../src/plugin.js'
import { ask, TOKEN } from '../service.js'

process.env.PERFORMANCE_ADMIN_TOKEN = TOKEN
const sdl = 'type Query { item: Item } type Item { name: String }'
const items = { Query: { item: () => ({ name: 'one' }) } }
const metrics = '{ _performanceMetrics { resolvers { name } config { enabled } } }'
const timings = '{ item { name _performance { resolverName } } }'

interface App {
  readonly app: FastifyInstance
  /** What it has logged, at warn or above. */
  readonly lines: string[]
}

/** An app with the plugin; `before` is done between Mercurius and it. */
async function started(t: Test, before?: (app: FastifyInstance) => void): Promise<App> {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: line => lines.push(line) } } })
  t.teardown(() => app.close())
  await app.register(mercurius, { schema: sdl, resolvers: items })
  before?.(app)
  await app.register(mercuriusPerformance, { logAllMetrics: false })
  await app.ready()
  return { app, lines }
}

async function answersAll(t: Test, app: FastifyInstance): Promise<void> {
  t.match(await ask(app, metrics), { data: { _performanceMetrics: { resolvers: Array, config: { enabled: true } } } })
  t.match(await ask(app, metrics, {}), { errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })
  t.match(await ask(app, timings), {
    data: { item: { name: 'one', _performance: { resolverName: 'Query.item' } } }
  })
}

test('a schema that was printed and built again answers our fields', async t => {
  const { app, lines } = await started(t)
  app.graphql.replaceSchema(buildSchema(printSchema(app.graphql.schema)))
  app.graphql.defineResolvers(items)
  await answersAll(t, app)
  t.strictSame(lines, [])
})

test('what the application has put around our resolvers stays there', async t => {
  const { app } = await started(t)
  let calls = 0
  app.graphql.transformSchema((schema: GraphQLSchema) => {
    const field = schema.getQueryType()?.getFields()._performanceMetrics
    const { resolve } = field ?? {}
    if (field !== undefined && resolve !== undefined) {
      field.resolve = (...given) => {
        calls += 1
        return resolve(...given)
      }
    }
    return schema
  })
  await answersAll(t, app)
  t.equal(calls, 2)
})

test('a schema at run time that has a type of its own by one of our names is executed as it is', async t => {
  const { app, lines } = await started(t)
  app.graphql.replaceSchema(
    buildSchema('type Query { _performanceMetrics: PerformanceMetrics! } type PerformanceMetrics { mine: Int }')
  )
  app.graphql.defineResolvers({ Query: { _performanceMetrics: () => ({ mine: 1 }) } })
  t.strictSame(await ask(app, '{ _performanceMetrics { mine } }'), { data: { _performanceMetrics: { mine: 1 } } })
  t.equal(lines.length, 1, lines.join())
  t.match(lines, [/MPERF_SCHEMA_CONFLICT/])
})

test('an app whose schema was replaced by such a one before it was ready does not start', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema: sdl })
  await app.register(mercuriusPerformance)
  app.graphql.replaceSchema(buildSchema('type Query { mine: CacheMetrics } type CacheMetrics { a: Int }'))
  await t.rejects(Promise.resolve(app.ready()), { code: 'MPERF_SCHEMA_CONFLICT' })
})

for (const when of ['at once', 'later']) {
  test(`a hook onExtendSchema that replaces the schema ${when} is followed, and not for ever`, async t => {
    let calls = 0
    const { app } = await started(t, app => {
      app.graphql.addHook('onExtendSchema', async () => {
        if (when === 'later') await Promise.resolve()
        // What goes round for ever would not let the test end.
        if ((calls += 1) > 20) throw new Error('again')
        if (calls > 1) return
        app.graphql.replaceSchema(buildSchema(sdl))
        app.graphql.defineResolvers(items)
      })
    })
    await answersAll(t, app)
    t.ok(calls <= 4, `${calls} calls`)
  })

  test(`a hook onExtendSchema that takes our fields out again and again ${when} has its way, and one line says so`, async t => {
    let calls = 0
    const { app, lines } = await started(t)
    app.graphql.addHook('onExtendSchema', async () => {
      if (when === 'later') await Promise.resolve()
      if ((calls += 1) > 20) throw new Error('again')
      app.graphql.replaceSchema(buildSchema(sdl))
      app.graphql.defineResolvers(items)
    })
    app.graphql.replaceSchema(buildSchema(sdl))
    await new Promise(resolve => setImmediate(resolve))
    t.strictSame(await ask(app, '{ item { name } }'), { data: { item: { name: 'one' } } })
    t.ok(calls <= 4, `${calls} calls`)
    t.equal(lines.length, 1, lines.join())
    t.match(lines, [/onExtendSchema/])
  })
}

test('an error of a hook onExtendSchema is the application’s own, and no conflict of names', async t => {
  const failing = (app: FastifyInstance): void => {
    app.graphql.addHook('onExtendSchema', () => Promise.reject(new Error('the registry is gone')))
  }
  await t.rejects(started(t, failing), { message: 'the registry is gone', code: undefined })
  const { app, lines } = await started(t)
  failing(app)
  app.graphql.replaceSchema(buildSchema(sdl))
  app.graphql.defineResolvers(items)
  await answersAll(t, app)
  t.equal(lines.length, 1)
  t.match(lines, [/the registry is gone/])
  t.notMatch(lines, [/MPERF_SCHEMA_CONFLICT|rename/])
})
