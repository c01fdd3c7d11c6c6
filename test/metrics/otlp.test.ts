import { test } from 'tap'
import type { Snapshot } from '../../src/store/snapshot.js'
import { runNode } from '../node.js'
import { NO_POSTGRES, startPostgres } from '../postgres.js'
import { newest, startReceiver, type ReceivedMetric, type Receiver } from './receiver.js'

const TOKEN = 'an-administrator-token-for-tests-only'

/** A service that answers itself a few requests, says what it counted and ends. */
const service = (more = ''): string => `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance, { getAllMetrics, trackCacheHit, trackCacheMiss } from 'mercurius-performance'
  import pg from 'pg'
  import { setTimeout as delay } from 'node:timers/promises'
  const app = Fastify()
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
  const resolvers = {
    Query: {
      hello: async (_, { name }) => 'hello ' + name,
      broken: async () => { throw new Error('no such user: hunter2') },
      sum: async () => (await pool.query('SELECT 1 + $1::int AS sum FROM pg_class LIMIT 1', [41])).rows[0].sum
    }
  }
  const schema = 'type Query { hello(name: String): String broken: String sum: Int }'
  await app.register(mercurius, { schema, resolvers })
  await app.register(mercuriusPerformance)
  const ask = query => app.inject({
    method: 'POST', url: '/graphql', payload: { query }, headers: { authorization: 'Bearer ${TOKEN}' }
  })
  for (let index = 0; index < 5; index += 1) await ask('query Hello { hello(name: "hunter2") }')
  await ask('query Broken { broken }')
  await ask('{ _performanceMetrics { operations { name } } }')
  trackCacheHit(0.01, 'labels')
  trackCacheHit(0.02, 'labels')
  trackCacheMiss(0.1, 'labels')
  ${more}
  console.log(JSON.stringify(getAllMetrics()))
  await pool.end()
  await app.close()
  process.exit(0)
`

async function run(receiver: Receiver, environment: Record<string, string> = {}, more = ''): Promise<Snapshot> {
  const preload = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', service(more)]
  const { code, stdout, stderr } = await runNode(preload, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    PERFORMANCE_ADMIN_TOKEN: TOKEN,
    ...environment
  })
  if (code !== 0 || stderr !== '') throw new Error(stderr)
  return JSON.parse(stdout) as Snapshot
}

/** The count of each point, by its attributes without those that all of them have. */
function countsOf(metrics: readonly ReceivedMetric[], ...attributes: string[]): [string, number | undefined][] {
  return metrics
    .flatMap(({ points }) => points)
    .map(point => [attributes.map(name => String(point.attributes[name])).join(' '), point.count ?? point.asInt])
}

test('metrics leave over OTLP when the app closes: exponential histograms in seconds, as the snapshot counted them', async t => {
  const receiver = await startReceiver(t)
  const { resolvers, operations, cache } = await run(receiver)
  const found = newest(receiver, 'graphql.server.resolver.duration')
  t.match(found, [{ scope: 'mercurius-performance', unit: 's', kind: 'exponentialHistogram', temporality: 2 }])
  t.strictSame(
    new Map(countsOf(found, 'graphql.parent.name', 'graphql.field.name')),
    new Map(resolvers.map(({ name, count }) => [name.replace('.', ' '), count]))
  )
  for (const { attributes, sum, count = 0, scale, positive, zeroCount = 0 } of found.flatMap(({ points }) => points)) {
    const row = resolvers.find(({ name }) => name === `Query.${String(attributes['graphql.field.name'])}`)
    t.ok(Math.abs((sum ?? NaN) - (row?.totalTime ?? NaN)) < 1e-12)
    t.equal(scale, 6)
    t.equal(
      (positive?.bucketCounts ?? []).reduce((all, one) => all + one, zeroCount),
      count
    )
  }
  const ran = newest(receiver, 'graphql.server.processing.duration')
  t.strictSame(
    new Map(countsOf(ran, 'graphql.operation.type', 'graphql.operation.name', 'graphql.processing.type')),
    new Map(operations.map(({ name, count }) => [`query ${name} execute`, count])),
    'and none of the monitor itself'
  )
  t.strictSame(countsOf(ran, 'graphql.operation.name'), [['Hello', 5], ['Broken', 1]]) // prettier-ignore
  const failed = newest(receiver, 'graphql.server.processing.errors')
  t.match(failed, [{ kind: 'sum', isMonotonic: true, unit: '{error}', temporality: 2 }])
  t.strictSame(countsOf(failed, 'graphql.operation.name'), [['Hello', 0], ['Broken', 1]]) // prettier-ignore
  t.strictSame(
    countsOf(newest(receiver, 'mercurius_performance.cache.duration'), 'cache.name', 'cache.outcome'),
    [['labels hit', cache.hits], ['labels miss', cache.misses]] // prettier-ignore
  )
  t.notMatch(receiver.bodies.join(''), 'hunter2')
})

test('with OTEL_TRACES_EXPORTER=none metrics leave all the same, and nothing else', async t => {
  const receiver = await startReceiver(t)
  await run(receiver, { OTEL_TRACES_EXPORTER: 'none' })
  t.strictSame(countsOf(newest(receiver, 'graphql.server.processing.duration'), 'graphql.operation.name'), [
    ['Hello', 5],
    ['Broken', 1]
  ])
  t.strictSame([...new Set(receiver.paths)], ['/v1/metrics'])
})

test('OTEL_METRICS_EXPORTER=none sends none', async t => {
  const receiver = await startReceiver(t)
  await run(receiver, { OTEL_METRICS_EXPORTER: 'none' })
  t.strictSame([...new Set(receiver.paths)], ['/v1/traces'])
})

for (const preference of ['delta', 'LowMemory', 'cumulative']) {
  test(`temporality as OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=${preference} says`, async t => {
    const receiver = await startReceiver(t)
    await run(
      receiver,
      {
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference,
        OTEL_METRIC_EXPORT_INTERVAL: '200',
        PERFORMANCE_RETENTION_PERIOD: '1'
      },
      `for (let second = 0; second < 8; second += 1) {
        await ask('query Hello { hello }')
        await delay(400)
      }`
    )
    const points = receiver.exports
      .flat()
      .filter(({ name }) => name === 'graphql.server.processing.duration')
      .flatMap(({ temporality, points }) => points.map(point => ({ ...point, temporality })))
      .filter(({ attributes }) => attributes['graphql.operation.name'] === 'Hello')
    const isDelta = preference !== 'cumulative'
    t.ok(points.length >= 5, `${points.length} points`)
    t.strictSame([...new Set(points.map(({ temporality }) => temporality))], [isDelta ? 1 : 2])
    const counts = points.map(({ count = 0 }) => count)
    if (isDelta) {
      t.equal(
        counts.reduce((sum, count) => sum + count, 0),
        13,
        'they add up'
      )
      t.strictSame(
        points.slice(1).filter((point, before) => point.startTimeUnixNano < (points[before]?.timeUnixNano ?? '')),
        [],
        'and do not overlap'
      )
    } else {
      t.equal(counts.at(-1), 13, 'though the retention is a second')
      t.strictSame(
        counts,
        [...counts].sort((one, other) => one - other),
        'it never goes back'
      )
      t.equal(new Set(points.map(({ startTimeUnixNano }) => startTimeUnixNano)).size, 1)
    }
  })
}

test('SQL is counted once, though instrumentation-pg would count it too', async t => {
  const postgres = await startPostgres()
  if (postgres === null) {
    t.plan(0, NO_POSTGRES)
    return
  }
  t.teardown(() => postgres.close())
  const receiver = await startReceiver(t)
  const more = `for (let index = 0; index < 7; index += 1) await ask('query Sum { sum }')`
  const { queries } = await run(receiver, { DATABASE_URL: postgres.url }, more)
  const found = newest(receiver, 'db.client.operation.duration')
  t.match(found, [{ scope: 'mercurius-performance', unit: 's', kind: 'exponentialHistogram' }])
  t.equal(found.length, 1)
  t.strictSame(
    found.flatMap(({ points }) => points.map(({ attributes, count }) => ({ ...attributes, count }))),
    [
      {
        'db.system.name': 'postgresql',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'pg_class',
        'db.query.summary': 'SELECT pg_class',
        count: 7
      }
    ]
  )
  t.match(queries, [{ name: 'SELECT pg_class', count: 7 }])
  t.match(
    newest(receiver, 'db.client.connection.count'),
    [{ scope: '@opentelemetry/instrumentation-pg' }],
    'its others stay'
  )
})

test('an app with a NodeSDK of its own gives the producer to its reader', async t => {
  const receiver = await startReceiver(t)
  const app = `
    import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
    import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
    import { NodeSDK } from '@opentelemetry/sdk-node'
    import { PerformanceMetricProducer, PerformanceSpanProcessor, trackCacheHit } from 'mercurius-performance'
    const metricProducers = [new PerformanceMetricProducer()]
    const sdk = new NodeSDK({
      spanProcessors: [new PerformanceSpanProcessor()],
      metricReaders: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), metricProducers })],
      logRecordProcessors: []
    })
    sdk.start()
    for (let index = 0; index < 3; index += 1) trackCacheHit(0.1, 'labels')
    await sdk.shutdown()
  `
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }
  const { code, stderr } = await runNode(['--input-type=module', '-e', app], environment)
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(countsOf(newest(receiver, 'mercurius_performance.cache.duration'), 'cache.name'), [['labels', 3]])
})
