import '../preload.js'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import mercurius from 'mercurius'
import { test, type Test } from 'tap'
import { createMonitor, type Monitor } from '../../src/monitor.js'
import { mercuriusPerformance, type PluginOptions } from '../../src/plugin.js'
import { processMonitor } from '../../src/process-monitor.js'
import { resolveConfig } from '../../src/config.js'
import { ask, service, TOKEN } from '../service.js'
import { call, recordResolver, select, sent } from '../store/support.js'
import { histogramsOf, parseText } from './text.js'

const schema = 'type Query { hello: String broken: String }'
const resolvers = {
  Query: {
    hello: async () => Promise.resolve('hello'),
    broken: async () => Promise.reject(new Error('no such user'))
  }
}
const administrator = { authorization: `Bearer ${TOKEN}` }

async function started(t: Test, options: PluginOptions = {}): Promise<FastifyInstance> {
  const app = await service({ schema, resolvers }, options)
  t.teardown(() => app.close())
  return app
}

function ownMonitor(t: Test): Monitor {
  const monitor = createMonitor(resolveConfig({ PERFORMANCE_LOG_ALL_METRICS: 'false' }))
  t.teardown(() => {
    monitor.close()
  })
  return monitor
}

async function metricsOf(app: FastifyInstance, headers: InjectOptions['headers'] = administrator): Promise<string> {
  const response = await app.inject({ url: '/metrics', headers })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.body
}

test('Future Enhancements, Prometheus Integration: GET /metrics counts what _performanceMetrics counts', async t => {
  const app = await started(t)
  for (let index = 0; index < 20; index += 1) await ask(app, index % 4 === 0 ? '{ broken }' : 'query Hello { hello }')
  app.performance.trackCacheHit(0.001, 'a "cache"\\of\nmine')
  const response = await app.inject({ url: '/metrics', headers: administrator })
  t.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(response.headers['cache-control'], 'no-store')
  const families = parseText(response.body)

  interface Row {
    readonly name: string
    readonly count: number
    readonly errorCount: number
    readonly totalTime: number
  }
  const columns = '{ name count errorCount totalTime }'
  const { data } = await ask<{ _performanceMetrics: { resolvers: Row[]; operations: Row[] } }>(
    app,
    `{ _performanceMetrics { resolvers ${columns} operations ${columns} } }`
  )
  const compare = (rows: readonly Row[], name: string, rowName: (labels: Record<string, string>) => string): void => {
    const histograms = histogramsOf(families.get(`${name}_duration_seconds`))
    t.equal(histograms.length, rows.length)
    for (const { labels, count, sum } of histograms) {
      const row = rows.find(({ name }) => name === rowName(labels))
      t.equal(count, row?.count)
      t.ok(Math.abs(sum - (row?.totalTime ?? NaN)) < 1e-9)
      const errors = families.get(`${name}_errors_total`)?.samples
      t.equal(errors?.find(sample => rowName(sample.labels) === rowName(labels))?.value, row?.errorCount)
    }
  }
  compare(
    data._performanceMetrics.resolvers,
    'graphql_server_resolver',
    labels => `${labels.graphql_parent_name}.${labels.graphql_field_name}`
  )
  compare(
    data._performanceMetrics.operations,
    'graphql_server_processing',
    labels => labels.graphql_operation_name ?? ''
  )
  t.equal(
    histogramsOf(families.get('mercurius_performance_cache_duration_seconds'))[0]?.labels.cache_name,
    'a "cache"\\of\nmine'
  )
  t.notMatch(response.body, /performanceMetrics|target_info|otel_scope/)
})

test('the bounds are powers of two of a second, and what is on one is below it', async t => {
  const monitor = ownMonitor(t)
  const app = await started(t, { monitor })
  const powers = Array.from({ length: 25 }, (_, index) => index - 17)
  const times = powers.flatMap(power => [2 ** power * 0.99, 2 ** power * 1.01, ...(power >= -9 ? [2 ** power] : [])])
  for (const seconds of [0, ...times]) monitor.store.recordQuery(select('issues'), sent(seconds))
  const [histogram] = histogramsOf(parseText(await metricsOf(app)).get('db_client_operation_duration_seconds'))
  t.strictSame(
    histogram?.buckets,
    [...Array.from({ length: 20 }, (_, index) => 2 ** (index - 14)), Infinity].map(bound => [
      bound,
      1 + times.filter(seconds => seconds <= bound).length
    ])
  )
})

test('what comes after the series limit says so in the text too', async t => {
  const monitor = createMonitor(resolveConfig({}), { seriesLimit: 1 })
  t.teardown(() => {
    monitor.close()
  })
  for (const name of ['Query.a', 'Query.b', 'Query.c']) recordResolver(monitor.store, name, call(0.1))
  const histograms = histogramsOf(
    parseText(await metricsOf(await started(t, { monitor }))).get('graphql_server_resolver_duration_seconds')
  )
  t.match(histograms, [{ count: 1 }, { labels: { otel_metric_overflow: 'true' }, count: 2 }])
})

test('with nothing counted the text is empty', async t => {
  t.equal(await metricsOf(await started(t, { monitor: ownMonitor(t) })), '')
})

test('Security Considerations, Access Control: who is no administrator gets one and the same answer, and no metrics', async t => {
  const app = await started(t)
  const answers = new Set<string>()
  const reads = t.capture(processMonitor().store, 'now', () => {
    throw new Error('the store was read')
  })
  for (const authorization of ['', 'Bearer', 'Bearer x', `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, undefined]) {
    const headers = authorization === undefined ? {} : { authorization }
    const { statusCode, headers: sent, body } = await app.inject({ url: '/metrics', headers })
    answers.add(JSON.stringify([statusCode, { ...sent, date: '' }, body]))
    t.equal((await app.inject({ method: 'POST', url: '/metrics', headers })).statusCode, 404)
  }
  t.equal(answers.size, 1)
  t.match(JSON.parse([...answers].join()), [401, { 'www-authenticate': 'Bearer' }, /^{"code":"MPERF_FORBIDDEN",/])
  t.equal(reads().length, 0)
})

test('the application may decide by its own login; one that fails lets nobody in and says nothing', async t => {
  const own = await started(t, { authorize: ({ reply }) => reply?.request?.headers?.['x-role'] === 'admin' })
  t.equal((await own.inject({ url: '/metrics', headers: { 'x-role': 'admin' } })).statusCode, 200)
  t.equal((await own.inject({ url: '/metrics', headers: administrator })).statusCode, 401)
  const failing = await started(t, {
    authorize: () => {
      throw new Error('the secret is hunter2')
    }
  })
  const { statusCode, body } = await failing.inject({ url: '/metrics', headers: administrator })
  t.equal(statusCode, 401)
  t.notMatch(body, 'hunter2')
})

test('the route is there where _performanceMetrics is, and nowhere else', async t => {
  t.teardown(() => {
    delete process.env.NODE_ENV
    process.env.PERFORMANCE_ADMIN_TOKEN = TOKEN
  })
  const cases: [environment: string, token: string | undefined, options: PluginOptions, status: number][] = [
    ['development', undefined, {}, 401],
    ['development', TOKEN, {}, 200],
    ['development', TOKEN, { exposeMetrics: false }, 404],
    ['production', undefined, {}, 404],
    ['production', TOKEN, {}, 200],
    ['production', TOKEN, { exposeMetrics: false }, 404],
    ['production', undefined, { authorize: () => true }, 200]
  ]
  for (const [environment, token, options, status] of cases) {
    process.env.NODE_ENV = environment
    if (token === undefined) delete process.env.PERFORMANCE_ADMIN_TOKEN
    else process.env.PERFORMANCE_ADMIN_TOKEN = token
    const app = await started(t, options)
    const { statusCode } = await app.inject({ url: '/metrics', headers: administrator })
    t.equal(
      statusCode,
      status,
      `${environment}, ${token === undefined ? 'no token' : 'a token'}, ${JSON.stringify(options)}`
    )
  }
})

for (const when of ['before', 'after']) {
  test(`an app that has declared GET /metrics ${when} the plugin keeps its own, and one line says so`, async t => {
    const lines: string[] = []
    const app = Fastify({ logger: { level: 'info', stream: { write: line => lines.push(line) } } })
    t.teardown(() => app.close())
    const declare = (): unknown => app.get('/metrics', () => 'mine')
    if (when === 'before') declare()
    await app.register(mercurius, { schema, resolvers })
    await app.register(mercuriusPerformance)
    if (when === 'after') declare()
    await app.ready()
    t.equal((await app.inject({ url: '/metrics', headers: administrator })).body, 'mine')
    t.equal(lines.filter(line => line.includes('GET /metrics of its own')).length, 1)
  })
}

for (const when of ['before', 'after']) {
  test(`an app that has declared a pattern of its own ${when} the plugin keeps it`, async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    const declare = (): void => {
      app.get(String.raw`/:id(^\d+$)`, () => 'by number')
      app.get('/:name(^[a-z]+$).html', () => 'by name')
    }
    if (when === 'before') declare()
    await app.register(mercurius, { schema, resolvers })
    await app.register(mercuriusPerformance)
    if (when === 'after') declare()
    for (const [url, expected] of [
      ['/7', 'by number'],
      ['/a.html', 'by name']
    ] as const) {
      t.equal((await app.inject({ url })).body, expected)
    }
    for (const url of ['/etrics', '/mmetrics', '/metricss', '/xetrics']) {
      t.equal((await app.inject({ url, headers: administrator })).statusCode, 404, url)
    }
    t.equal((await app.inject({ url: '/metrics', headers: administrator })).statusCode, 200)
  })
}

test('two GraphQL APIs of one app share the route', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const path of ['/one', '/two']) {
    await app.register(async child => {
      await child.register(mercurius, { schema, resolvers, path })
      await child.register(mercuriusPerformance)
    })
  }
  for (const url of ['/one', '/two']) {
    const asked = await app.inject({ method: 'POST', url, payload: { query: '{ hello }' } })
    t.strictSame(asked.json(), { data: { hello: 'hello' } })
  }
  t.equal((await app.inject({ url: '/metrics', headers: administrator })).statusCode, 200)
})

for (const [pattern, prefix, shown] of [
  ['/*', '', '/*'],
  ['*', '', '/*'],
  ['/:id', '', '/:any'],
  ['/*', '/api', '/*'],
  ['/api/*', '/api', '/api/*'],
  ['/api/:page', '/api', '/api/:any'],
  ['/:area/:page', '/api', '/:any/:any'],
  ['/:id', '/api', undefined],
  ['/other/*', '', undefined]
] as const) {
  test(`an app with a route GET ${pattern} is told what is taken from it under "${prefix}"`, async t => {
    const lines: string[] = []
    const app = Fastify({ logger: { level: 'info', stream: { write: line => lines.push(line) } } })
    t.teardown(() => app.close())
    await app.register(
      async child => {
        await child.register(mercurius, { schema, resolvers })
        await child.register(mercuriusPerformance)
      },
      { prefix }
    )
    app.get(pattern, () => 'mine')
    await app.ready()
    t.equal((await app.inject({ url: `${prefix}/metrics`, headers: administrator })).statusCode, 200)
    const told = lines.filter(line => line.includes('metricsRoute'))
    t.equal(told.length, shown === undefined ? 0 : 1)
    if (shown !== undefined) t.match(told[0], `GET ${prefix}/metrics is taken from the app's route GET ${shown};`)
  })
}

test('with metricsRoute: false requests go where they went without it', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/:id', () => 'mine')
  await app.register(mercurius, { schema, resolvers })
  await app.register(mercuriusPerformance, { metricsRoute: false })
  t.equal((await app.inject({ url: '/metrics', headers: administrator })).body, 'mine')
  t.match(await ask(app, '{ _performanceMetrics { resolvers { name } } }'), { data: { _performanceMetrics: {} } })
})

test('metricsRoute is true or false', async t => {
  await t.rejects(started(t, { metricsRoute: 'no' as unknown as boolean }), {
    code: 'MPERF_CONFIG_INVALID',
    message: /metricsRoute is .*no.*: expected true or false/
  })
})

test('under a prefix it is there, and other routes are left as they are', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/:any', () => 'any')
  await app.register(
    async child => {
      await child.register(mercurius, { schema, resolvers })
      await child.register(mercuriusPerformance)
    },
    { prefix: '/api' }
  )
  t.match((await app.inject({ url: '/api/metrics', headers: administrator })).body, '# ')
  t.equal((await app.inject('/metrics')).body, 'any')
  t.equal((await app.inject('/api/metricsx')).statusCode, 404)
})
