import { AggregationTemporality } from '@opentelemetry/sdk-metrics'
import { test } from 'tap'
import { StoreMetricProducer } from '../../src/metrics/producer.js'
import { seededRandom } from '../random.js'
import { call, recordResolver, select, sent, storeWith } from '../store/support.js'
import { bucketsOf, collect, millisecondsOf } from './support.js'

const OPERATION = 'graphql.server.processing.duration'
const RESOLVER = 'graphql.server.resolver.duration'
const SQL = 'db.client.operation.duration'
const CACHE = 'mercurius_performance.cache.duration'
const ISSUES = '{"graphql.parent.name":"Query","graphql.field.name":"issues"}'

test('Future Enhancements, Prometheus Integration: everything that is counted leaves, under the names of the conventions', async t => {
  const { store } = storeWith()
  recordResolver(store, 'Issue.comments', call(0.2, true))
  store.recordBatch('Issue.author', 7, call(0.1))
  store.recordQuery(select('issues'), sent(0.1))
  store.recordQuery({ ...select(''), operation: 'BEGIN', table: null, name: 'BEGIN' }, sent(0.1))
  store.recordOperation('IssueList', { type: 'query' }, call(1), 7)
  store.recordOperation('IssueList', { type: 'mutation' }, call(1, true), 7)
  store.recordCache('hit', 'labels', call(0.001))
  store.recordCache('miss', 'labels', call(0.1))
  const { durations, errors, units, temporality } = await collect(new StoreMetricProducer(store))
  t.strictSame(
    Object.fromEntries(
      [...durations].map(([name, points]) => [name, [...points.keys()].map(key => JSON.parse(key) as unknown)])
    ),
    {
      [OPERATION]: ['query', 'mutation'].map(type => ({
        'graphql.processing.type': 'execute',
        'graphql.operation.type': type,
        'graphql.operation.name': 'IssueList'
      })),
      [RESOLVER]: [{ 'graphql.parent.name': 'Issue', 'graphql.field.name': 'comments' }],
      'graphql.server.loader.batch.duration': [{ 'graphql.parent.name': 'Issue', 'graphql.field.name': 'author' }],
      [SQL]: [
        {
          'db.system.name': 'postgresql',
          'db.operation.name': 'SELECT',
          'db.collection.name': 'issues',
          'db.query.summary': 'SELECT issues'
        },
        { 'db.system.name': 'postgresql', 'db.operation.name': 'BEGIN', 'db.query.summary': 'BEGIN' }
      ],
      [CACHE]: ['hit', 'miss'].map(outcome => ({ 'cache.outcome': outcome, 'cache.name': 'labels' }))
    }
  )
  t.strictSame(
    [...errors].map(([name, points]) => [name, [...points.values()].map(({ value }) => value)]),
    [
      ['graphql.server.processing.errors', [0, 1]],
      ['graphql.server.resolver.errors', [1]],
      ['graphql.server.loader.batch.errors', [0]],
      ['db.client.operation.errors', [0, 0]]
    ]
  )
  for (const [name, unit] of units) t.equal(unit, name.endsWith('.errors') ? '{error}' : 's', name)
  t.strictSame([...temporality], [AggregationTemporality.CUMULATIVE])
})

test('a histogram in seconds holds what was measured, bucket by bucket', async t => {
  const { store, clock } = storeWith(60)
  const random = seededRandom(12)
  const times = Array.from({ length: 3000 }, () => Math.round(10 ** (random() * 11)))
  times.push(0, 0, 1, 1e9, 2e9, 5e8)
  for (const time of times) {
    recordResolver(store, 'Query.issues', { ...call(0), duration: time })
    clock.advance(random() * 0.2)
  }
  const { durations } = await collect(new StoreMetricProducer(store))
  const histogram = durations.get(RESOLVER)?.get(ISSUES)?.value
  if (histogram === undefined) throw new Error('no histogram')
  t.equal(histogram.scale, 6)
  t.equal(histogram.count, times.length)
  t.equal(histogram.sum, times.reduce((sum, time) => sum + time, 0) / 1e9)
  t.strictSame([histogram.min, histogram.max], [0, Math.max(...times) / 1e9])
  t.equal(histogram.zeroCount, 2)
  t.strictSame(histogram.negative.bucketCounts, [])
  const buckets = bucketsOf(histogram)
  // The error of a power is taken into account at bounds alone, of which those of whole octaves are exact.
  for (const [bucket, count] of buckets) {
    if (bucket === -Infinity) continue
    const lower = 2 ** (bucket / 64)
    const upper = 2 ** ((bucket + 1) / 64)
    t.equal(times.filter(time => time / 1e9 > lower && time / 1e9 <= upper).length, count, `bucket ${bucket}`)
  }
  t.equal(
    [...buckets.values()].reduce((sum, count) => sum + count, 0),
    times.length
  )
})

for (const temporality of ['cumulative', 'delta'] as const) {
  test(`each series tells from when to when it counted, and goes on however the clock is set; ${temporality}`, async t => {
    const { store, clock } = storeWith()
    const producer = new StoreMetricProducer(store, { temporality })
    const began = clock.wall()
    /** Seconds since it began, ten of them after the last point. */
    const point = async (): Promise<number[]> => {
      recordResolver(store, 'Query.issues', call(0.1))
      clock.advance(10)
      const found = (await collect(producer)).durations.get(RESOLVER)?.get(ISSUES)
      if (found === undefined) throw new Error('no point')
      return [found.startTime, found.endTime].map(time => (millisecondsOf(time) - began) / 1000)
    }
    const isDelta = temporality === 'delta'
    t.strictSame(await point(), [0, 10])
    clock.step(3600)
    t.strictSame(await point(), [isDelta ? 10 : 0, 3620], 'set forward')
    clock.step(-600)
    t.strictSame(await point(), [isDelta ? 3020 : 0, 3030], 'set back')
    t.strictSame(await point(), [isDelta ? 3030 : 0, 3040], 'its end is not waited for')
    clock.step(-86_400)
    t.strictSame(await point(), [isDelta ? 3040 - 86_400 : 3000 - 86_400, 3050 - 86_400], 'to before it began')
    t.strictSame(await point(), [isDelta ? 3050 - 86_400 : 3000 - 86_400, 3060 - 86_400], 'once')
    clock.step(86_400)
    t.strictSame(await point(), [isDelta ? 3060 - 86_400 : 3000 - 86_400, 3070], 'and right again')
  })
}

test('what comes after the series limit has the attribute that OpenTelemetry has for it', async t => {
  const { store } = storeWith(3600, 2)
  for (const name of ['a', 'b', 'c', 'd']) {
    recordResolver(store, `Query.${name}`, call(0.1))
    store.recordQuery(select(name), sent(0.1))
    store.recordOperation(name, { type: 'query' }, call(0.1), 0)
    store.recordCache('hit', name, call(0.1))
    store.recordCache('miss', name, call(0.1))
  }
  const { durations } = await collect(new StoreMetricProducer(store))
  const overflow = (metric: string): unknown[] =>
    [...(durations.get(metric) ?? [])]
      .filter(([key]) => key.includes('overflow'))
      .map(([key, { value }]) => [JSON.parse(key) as unknown, value.count])
  t.strictSame(overflow(RESOLVER), [[{ 'otel.metric.overflow': true }, 2]])
  t.strictSame(overflow(OPERATION), [[{ 'graphql.processing.type': 'execute', 'otel.metric.overflow': true }, 2]])
  t.strictSame(overflow(SQL), [[{ 'db.system.name': 'postgresql', 'otel.metric.overflow': true }, 2]])
  t.strictSame(
    overflow(CACHE),
    ['hit', 'miss'].map(outcome => [{ 'cache.outcome': outcome, 'otel.metric.overflow': true }, 2])
  )
})

test('a name that looks like that is a name like any other', async t => {
  const { store, read } = storeWith(3600, 2)
  for (const type of ['query', 'mutation']) store.recordOperation('(other)', { type }, call(0.1), 0)
  for (const outcome of ['hit', 'miss'] as const) {
    for (const name of ['(other)', 'labels']) store.recordCache(outcome, name, call(0.1))
  }
  const counts = async (): Promise<Record<string, number>> => {
    const { durations } = await collect(new StoreMetricProducer(store))
    const points = [OPERATION, CACHE].flatMap(name => [...(durations.get(name) ?? [])])
    return Object.fromEntries(
      points.map(([, { attributes, value }]) => [Object.values(attributes).sort().join(), value.count])
    )
  }
  const named = {
    '(other),execute,query': 1,
    '(other),execute,mutation': 1,
    '(other),hit': 1,
    'hit,labels': 1,
    '(other),miss': 1,
    'labels,miss': 1
  }
  t.strictSame(await counts(), named)
  for (const name of ['one', 'more', 'again']) {
    store.recordOperation(name, { type: 'query' }, call(0.1), 0)
    store.recordCache('hit', name, call(0.1))
    store.recordCache('miss', name, call(0.1))
  }
  t.strictSame(await counts(), { ...named, 'execute,true': 3, 'hit,true': 3, 'miss,true': 3 })
  t.strictSame(
    read().cache.byName.map(({ name, hits, misses }) => [name, hits, misses]),
    [['(other)', 1, 1], ['labels', 1, 1], ['(other)', 3, 3]] // prettier-ignore
  )
})

test('deltas tell what is new, and nothing where nothing is', async t => {
  const { store, clock } = storeWith()
  const producer = new StoreMetricProducer(store, { temporality: 'delta' })
  const began = clock.wall()
  recordResolver(store, 'Query.issues', call(0.25, true))
  recordResolver(store, 'Query.users', call(0.25))
  clock.advance(60)
  const first = await collect(producer)
  t.strictSame([...first.temporality], [AggregationTemporality.DELTA])
  t.equal(first.durations.get(RESOLVER)?.size, 2)
  t.equal(first.errors.get('graphql.server.resolver.errors')?.size, 1, 'no errors are not told')
  clock.advance(60)
  t.strictSame([...(await collect(producer)).durations], [])
  recordResolver(store, 'Query.issues', call(0.5))
  clock.advance(60)
  const { durations, errors } = await collect(producer)
  t.strictSame([...errors], [])
  t.strictSame([...(durations.get(RESOLVER)?.keys() ?? [])], [ISSUES])
  const point = durations.get(RESOLVER)?.get(ISSUES)
  t.match(point?.value, { count: 1, sum: 0.5, min: undefined, max: undefined })
  t.strictSame(point && [...bucketsOf(point.value)], [[-65, 1]])
  t.strictSame(
    point && [point.startTime, point.endTime].map(time => millisecondsOf(time) - began),
    [120_000, 180_000],
    'since the collection before'
  )
})

test('with nothing counted there is nothing to send', async t => {
  const { resourceMetrics } = await new StoreMetricProducer(storeWith().store).collect()
  t.strictSame(resourceMetrics.scopeMetrics, [])
})
