import { MeterProvider, type CollectionResult } from '@opentelemetry/sdk-metrics'
import { test } from 'tap'
import { StoreMetricProducer } from '../../src/metrics/producer.js'
import { PrometheusReader } from '../../src/metrics/prometheus-reader.js'
import { freePort } from '../port.js'
import { call, recordResolver, storeWith } from '../store/support.js'

class CountedProducer extends StoreMetricProducer {
  collections = 0

  override collect(): Promise<CollectionResult> {
    this.collections += 1
    return super.collect()
  }
}

test('scrapes at the same time share one answer; the next one is new', async t => {
  const { store } = storeWith()
  for (let index = 0; index < 1500; index += 1) recordResolver(store, `Query.field${index}`, call(0.1))
  const producer = new CountedProducer(store)
  const port = await freePort()
  const provider = new MeterProvider({ readers: [new PrometheusReader({ host: '127.0.0.1', port, producer })] })
  t.teardown(() => provider.shutdown())
  const scrape = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    t.equal(response.status, 200)
    return response.text()
  }
  await scrape()
  const before = producer.collections
  const texts = await Promise.all(Array.from({ length: 30 }, scrape))
  // Where the machine is busy, some connect when the first answer is out.
  t.ok(producer.collections - before < 10, `${producer.collections - before} collections`)
  t.equal(new Set(texts).size, 1)
  recordResolver(store, 'Query.later', call(0.1))
  t.ok((await scrape()).includes('graphql_field_name="later"'))
})
