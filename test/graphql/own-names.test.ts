import '../preload.js'
import mercuriusCache from 'mercurius-cache'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { test } from 'tap'
import { trackedCache } from '../../src/cache/mercurius-cache.js'
import { mercuriusPerformance } from '../../src/plugin.js'
import { ask, service } from '../service.js'
import { spanSource } from '../spans/spans.js'

const schema = `
  type Query { cacheMetrics: CacheMetrics  slow: [SlowCall!]! }
  type CacheMetrics { size: Int }
  type SlowCall { name: String }
`
const resolvers = {
  Query: { cacheMetrics: () => ({ id: 1 }), slow: () => [{}, {}] },
  CacheMetrics: { size: () => 7 },
  SlowCall: { name: () => 'theirs' }
}

for (const jit of [0, 1]) {
  test(`types of the application that are called as ours are measured where ours are not there; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit }, { exposeMetrics: false })
    t.teardown(() => app.close())
    const counts = (): Map<string, number> =>
      new Map(app.performance.snapshot({ include: ['resolvers'] }).resolvers.map(({ name, count }) => [name, count]))
    const before = counts()
    for (let round = 0; round < 3; round += 1) {
      const { data } = await ask(app, '{ cacheMetrics { size _performance { resolverName } } slow { name } }')
      t.match(data, {
        cacheMetrics: { size: 7, _performance: { resolverName: 'Query.cacheMetrics' } },
        slow: [{ name: 'theirs' }, { name: 'theirs' }]
      })
    }
    const grown = ['CacheMetrics.size', 'SlowCall.name'].map(
      name => (counts().get(name) ?? 0) - (before.get(name) ?? 0)
    )
    t.strictSame(grown, [3, 6])
  })
}

for (const [own, exposeMetrics] of [
  ['type Query { _performanceMetrics: PerformanceMetrics! } type PerformanceMetrics { secret: Int }', true],
  ['type Query { _performance: FieldPerformance } type FieldPerformance { executionTime: Float }', false]
] as const) {
  test(`an application that has both a field and its type called as ours is refused: ${own}`, async t => {
    await t.rejects(service({ schema: own }, { exposeMetrics }), { code: 'MPERF_SCHEMA_CONFLICT' })
  })
}

test('spans alone: the same, until our types are in a schema', async t => {
  const source = spanSource()
  const { monitor } = source
  t.teardown(() => {
    monitor.close()
  })
  const request = (): void => {
    const running = source.operation('Sizes')
    source.resolver('CacheMetrics', 'size', running)
    running.end()
  }
  const seen = (): unknown => {
    const { resolvers: found, operations } = monitor.snapshot()
    return [...found, ...operations].map(({ name, count }) => [name, count])
  }
  const counted = [
    ['CacheMetrics.size', 1],
    ['Sizes', 1]
  ]
  const without = await service({ schema, resolvers }, { monitor, exposeMetrics: false })
  request()
  t.strictSame(seen(), counted)
  const exposing = await service({ schema: 'type Query { hello: String }' }, { monitor })
  request()
  t.strictSame(seen(), counted)
  await Promise.all([without.close(), exposing.close()])
})

test('with mercurius-cache such types are cached as the application says', async t => {
  let loads = 0
  const own = { ...resolvers, CacheMetrics: { size: () => (loads += 1) } }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema, resolvers: own })
  await app.register(mercuriusPerformance, { exposeMetrics: false })
  const options = { ttl: 10, policy: { CacheMetrics: { size: true } } }
  await app.register(trackedCache(mercuriusCache.default), options)
  await app.ready()
  for (let round = 0; round < 3; round += 1)
    t.match(await ask(app, '{ cacheMetrics { size } }'), { data: { cacheMetrics: { size: 1 } } })
  t.match(
    app.performance.snapshot({ include: ['cache'] }).cache.byName.find(({ name }) => name === 'CacheMetrics.size'),
    { hits: 2, misses: 1 }
  )
})
