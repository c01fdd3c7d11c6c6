/** What was exported and did not arrive is not forgotten: real readers and exporters, and a receiver that refuses. */
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics'
import { test, type Test } from 'tap'
import { metricExportFromEnvironment } from '../../src/metrics/readers.js'
import type { Store } from '../../src/store/store.js'
import { readTotals } from '../../src/store/totals.js'
import { call, recordResolver, storeWith } from '../store/support.js'
import { newest, startReceiver } from './receiver.js'

const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_METRIC_EXPORT_INTERVAL'] as const

function readerOf(t: Test, store: Store, endpoint: string, seconds = 60): MetricReader {
  for (const [index, value] of [endpoint, 'http/json', String(1000 * seconds)].entries())
    process.env[names[index] ?? ''] = value
  const { readers } = metricExportFromEnvironment(store)
  for (const name of names) Reflect.deleteProperty(process.env, name)
  const provider = new MeterProvider({ readers: [...readers] })
  t.teardown(() => provider.shutdown())
  const [reader] = readers
  if (reader === undefined) throw new Error('no reader')
  return reader
}

const RESOLVER = 'graphql.server.resolver.duration'

/** What the store has not forgotten when all that is too old and collected is. */
function left({ store, clock }: ReturnType<typeof storeWith>): number {
  clock.advance(1)
  store.sweep()
  return [...readTotals(store, 'resolvers')].length
}

test('what the receiver refused is kept until it has it, for ten minutes', async t => {
  let status = 200
  const receiver = await startReceiver(t, () => status)
  const own = storeWith(60)
  const { store, clock } = own
  const reader = readerOf(t, store, receiver.endpoint)
  recordResolver(store, 'Query.before', call(0.1))
  clock.advance(1)
  await reader.forceFlush()
  clock.advance(100)
  t.equal(left(own), 0, 'it has arrived')

  status = 400
  recordResolver(store, 'Query.issues', call(0.1))
  await reader.forceFlush()
  clock.advance(100)
  t.equal(left(own), 1, 'it was collected, and is not there')
  status = 200
  await reader.forceFlush()
  t.match(newest(receiver, RESOLVER)[0]?.points, [{ count: 1 }])
  t.equal(left(own), 0)

  status = 400
  recordResolver(store, 'Query.issues', call(0.1))
  for (let minute = 0; minute < 9; minute += 1) {
    await reader.forceFlush()
    clock.advance(60)
    t.equal(left(own), 1, `minute ${minute}`)
  }
  clock.advance(120)
  t.equal(left(own), 0, 'a receiver that is gone does not fill the memory')
})

test('what leaves in several messages has arrived when the last of them has', async t => {
  let messages = 0
  const receiver = await startReceiver(t, () => ((messages += 1) === 2 ? 400 : 200))
  const own = storeWith(60)
  const reader = readerOf(t, own.store, receiver.endpoint)
  for (let index = 0; index < 900; index += 1) recordResolver(own.store, `Query.field${index}`, call(0.1))
  own.clock.advance(1)
  await reader.forceFlush()
  t.equal(messages, 5, '900 histograms and as many counts of errors')
  own.clock.advance(100)
  t.equal(left(own), 900, 'one of five is not there')
  await reader.forceFlush()
  const names = receiver.exports
    .slice(4)
    .flat()
    .filter(({ name }) => name === RESOLVER)
    .flatMap(({ points }) => points.map(({ attributes }) => attributes['graphql.field.name']))
  t.equal(new Set(names).size, 900)
  t.equal(names.length, 900)
  t.equal(left(own), 0)
})

test('who exports more seldom than every five minutes may fail once', async t => {
  let status = 200
  const receiver = await startReceiver(t, () => status)
  const own = storeWith(60)
  const reader = readerOf(t, own.store, receiver.endpoint, 1800)
  await reader.forceFlush()
  own.clock.advance(1)
  recordResolver(own.store, 'Query.issues', call(0.1))
  own.clock.advance(1800)
  status = 400
  await reader.forceFlush()
  own.clock.advance(1810)
  t.equal(left(own), 1)
  status = 200
  await reader.forceFlush()
  t.match(newest(receiver, RESOLVER)[0]?.points, [{ count: 1 }])
})

test('nothing to tell is no failure', async t => {
  const receiver = await startReceiver(t)
  const own = storeWith(60)
  const reader = readerOf(t, own.store, receiver.endpoint)
  own.clock.advance(500)
  await reader.forceFlush()
  recordResolver(own.store, 'Query.issues', call(0.1))
  own.clock.advance(500)
  t.equal(left(own), 1, 'there is somebody who waits for it')
})
