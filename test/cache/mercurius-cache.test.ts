import '../environment.js'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import mercurius from 'mercurius'
import mercuriusCache from 'mercurius-cache'
import { test, type Test } from 'tap'
import { trackedCache } from '../../src/cache/mercurius-cache.js'
import type { CallerContext } from '../../src/graphql/access.js'
import { mercuriusPerformance } from '../../src/plugin.js'
import { ask, TOKEN } from '../service.js'

const schema = 'type Query { hello: String  item: Item }  type Item { name: String }'
const METRICS = '{ _performanceMetrics { resolvers { name recent { timestamp } } config { enabled } } }'
const STRANGER = { authorization: 'Bearer wrong' }

interface Service {
  readonly app: FastifyInstance
  /** How often the application's resolvers have run. */
  readonly loads: { hello: number; name: number }
}

/** As slow as a login may be, so that who asks at the same time could join the call that is under way. */
async function authorize({ reply }: CallerContext): Promise<boolean> {
  await delay(20)
  return reply?.request?.headers?.authorization === `Bearer ${TOKEN}`
}

/** A service that caches as `options` of mercurius-cache say. */
async function start(t: Test, options: object): Promise<Service> {
  const loads = { hello: 0, name: 0 }
  const resolvers = {
    Query: { hello: () => `hello ${++loads.hello}`, item: () => ({ id: 1 }) },
    Item: { name: () => `name ${++loads.name}` }
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema, resolvers })
  await app.register(mercuriusPerformance, { authorize })
  await app.register(trackedCache(mercuriusCache.default), options as never)
  await app.ready()
  return { app, loads }
}

for (const options of [
  { ttl: 10, all: true },
  { ttl: 0, all: true },
  { ttl: 10, policy: { Query: { _performanceMetrics: true }, PerformanceMetrics: { resolvers: true, config: true } } }
]) {
  test(`what an administrator has asked answers nobody else: ${JSON.stringify(options)}`, async t => {
    const { app } = await start(t, options)
    const [first, beside] = await Promise.all([ask(app, METRICS), ask(app, METRICS, STRANGER)])
    t.match(first, { data: { _performanceMetrics: { config: { enabled: true } } } })
    for (const answer of [beside, await ask(app, METRICS, STRANGER), await ask(app, METRICS, {})]) {
      t.match(answer, { data: null, errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })
    }
    app.performance.configure({ enabled: false })
    t.teardown(() => {
      app.performance.configure({ enabled: true })
    })
    t.match(await ask(app, METRICS), { data: { _performanceMetrics: { config: { enabled: false } } } }, 'always new')
  })
}

test('with `all` the fields of the application are cached and counted, those of the monitor are not', async t => {
  const { app, loads } = await start(t, { ttl: 10, all: true })
  const before = hitsByName(app)
  for (let round = 0; round < 3; round += 1) {
    t.match(await ask(app, '{ hello item { name _performance { resolverName } } }'), { data: { hello: 'hello 1' } })
    await ask(app, METRICS)
  }
  t.strictSame(loads, { hello: 1, name: 1 })
  const grown = [...hitsByName(app)].map(([name, hits]) => [name, hits - (before.get(name) ?? 0)])
  t.strictSame(grown.sort(), [
    ['Item.name', 2],
    ['Query.hello', 2],
    ['Query.item', 2]
  ])
})

test('what the application skips is still skipped, and a `skip` that is no function is refused', async t => {
  for (const isAsync of [false, true]) {
    const seen: unknown[][] = []
    const skip = (...given: unknown[]): unknown => {
      seen.push(given)
      return isAsync ? Promise.resolve(true) : true
    }
    const { app, loads } = await start(t, { ttl: 10, policy: { Query: { hello: true } }, skip })
    for (let round = 0; round < 3; round += 1) await ask(app, '{ hello }')
    t.equal(loads.hello, 3)
    t.match(seen, [[{}, {}, { app: Object }, { fieldName: 'hello' }], Array, Array])
  }
  await t.rejects(start(t, { all: true, skip: 'hello' }), { message: 'skip must be a function' })
})

function hitsByName(app: FastifyInstance): Map<string, number> {
  return new Map(app.performance.snapshot({ include: ['cache'] }).cache.byName.map(({ name, hits }) => [name, hits]))
}
