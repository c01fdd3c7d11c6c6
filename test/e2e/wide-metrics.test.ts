/** As many series as there may be, and wide ones, from the preload's own reader through the Collector: all arrive. */
import { setTimeout as delay } from 'node:timers/promises'
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { test } from 'tap'
import { systemClock } from '../../src/lib/clock.js'
import { metricExportFromEnvironment } from '../../src/metrics/readers.js'
import { Store } from '../../src/store/store.js'
import { startStack } from '../../stack/stack.js'
import { call, recordResolver } from '../store/support.js'

const SERIES = 2000
/** From 10 µs to a second and a half. */
const BUCKETS = 1100

test('thousands of wide series arrive over gRPC, which takes 4 MiB at once', { timeout: 300_000 }, async t => {
  const stack = await startStack()
  t.teardown(() => stack.stop())
  const store = new Store({ clock: systemClock, retentionPeriod: 3600 })
  for (let index = 0; index < SERIES; index += 1) {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const measurement = call(1e-5 * 2 ** (bucket / 64))
      recordResolver(store, `Query.aFieldWithANameOfSomeLength${index}`, measurement)
      store.recordOperation(`AnOperationWithANameOfSomeLength${index}`, { type: 'query' }, measurement, 1)
    }
  }
  const warnings: string[] = []
  const warn = (message: string): void => {
    warnings.push(message)
  }
  const ignore = (): void => undefined
  diag.setLogger({ error: warn, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN)
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = stack.otlpGrpc
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'grpc'
  const { readers } = metricExportFromEnvironment(store)
  const provider = new MeterProvider({ readers: [...readers] })
  t.teardown(() => provider.shutdown())
  const began = Date.now()
  await provider.forceFlush()
  t.comment(`exported in ${Date.now() - began} ms`)
  t.strictSame(warnings, [])

  const valueOf = async (query: string): Promise<number> => {
    const response = await fetch(`${stack.prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await response.json()) as { data: { result: readonly { value: readonly [number, string] }[] } }
    return Number(data.result[0]?.value[1] ?? 0)
  }
  for (const name of ['graphql_server_resolver', 'graphql_server_processing']) {
    const [durations, errors] = [`${name}_duration_seconds`, `${name}_errors_total`]
    for (let tries = 0; tries < 200 && (await valueOf(`count(${errors})`)) < SERIES; tries += 1) await delay(100)
    t.equal(await valueOf(`count(${durations})`), SERIES, durations)
    t.equal(await valueOf(`count(${errors})`), SERIES, errors)
    t.equal(await valueOf(`sum(histogram_count(${durations}))`), SERIES * BUCKETS, `${durations}: calls`)
  }
})
