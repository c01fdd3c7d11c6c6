/** Several instances -> OTLP -> a real Prometheus, which answers for all of them. */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { resources } from '@opentelemetry/sdk-node'
import { test, type Test } from 'tap'
import { systemClock } from '../../src/lib/clock.js'
import { PrometheusReader } from '../../src/history/prometheus-reader.js'
import { StoreMetricProducer } from '../../src/metrics/producer.js'
import type { Store } from '../../src/store/store.js'
import { startStack } from '../../stack/stack.js'
import { checkReader, VERSION, type Instance } from '../history/reader-contract.js'

test('Prometheus answers as every reader of history has to', { timeout: 600_000 }, async t => {
  const { prometheusUrl } = await usePrometheus(t)
  await checkReader(t, service =>
    Promise.resolve({
      reader: readerOf(prometheusUrl, service),
      start: (name, store) => Promise.resolve(exportingInstance(prometheusUrl, service, name, store))
    })
  )
})

async function usePrometheus(t: Test): Promise<{ readonly prometheusUrl: string }> {
  const stack = await startStack({ only: ['Prometheus'] })
  t.teardown(() => stack.stop())
  return stack
}

function readerOf(prometheusUrl: string, service: string): PrometheusReader {
  const url = `prometheus+${prometheusUrl}/`
  const retention = { minutes: 86_400, hours: 172_800, days: 400 * 86_400 }
  return new PrometheusReader({ url, instance: 'one', service, version: VERSION, retention }, systemClock)
}

/** A process that exports when it is told to. */
function exportingInstance(prometheusUrl: string, service: string, name: string, store: Store): Instance {
  const exporter = new OTLPMetricExporter({ url: `${prometheusUrl}/api/v1/otlp/v1/metrics` })
  const provider = new MeterProvider({
    resource: resources.resourceFromAttributes({
      'service.name': service,
      'service.instance.id': name,
      'service.version': VERSION
    }),
    readers: [
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: 3_600_000,
        metricProducers: [new StoreMetricProducer(store)]
      })
    ]
  })
  return { store, deliver: () => provider.forceFlush(), stop: () => provider.shutdown() }
}
