/** Several instances -> OTLP -> a real Prometheus, which answers for all of them. */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { resources } from '@opentelemetry/sdk-node'
import { test, type Test } from 'tap'
import { manualClock, type ManualClock } from '../clock.js'
import { systemClock } from '../../src/lib/clock.js'
import { Increases } from '../../src/history/prometheus/increases.js'
import { PrometheusClient } from '../../src/history/prometheus/client.js'
import { PrometheusReader } from '../../src/history/prometheus/reader.js'
import { StoreMetricProducer } from '../../src/metrics/producer.js'
import { Store } from '../../src/store/store.js'
import { startStack } from '../../stack/stack.js'
import { call, recordResolver } from '../store/support.js'
import { checkReader, VERSION, type Instance } from '../history/reader-contract.js'

const MINUTE = 60_000
const MINUTES = 45
/** When a process comes anew under the name of one that was killed. */
const ANEW = [17, 18, 31]

test('Prometheus answers as every reader of history has to', { timeout: 600_000 }, async t => {
  const { prometheusUrl } = await usePrometheus(t)
  await checkReader(t, service =>
    Promise.resolve({
      reader: readerOf(prometheusUrl, service),
      start: (name, store) => Promise.resolve(exportingInstance(prometheusUrl, service, name, store))
    })
  )
})

test('minute by minute, over restarts under one name and silent stretches', { timeout: 600_000 }, async t => {
  const { prometheusUrl } = await usePrometheus(t)
  const clock = clockFrom(floorToMinute(Date.now()) - MINUTES * MINUTE + MINUTE / 2)
  const began = clock.wall()
  const storeAt = (): Store => new Store({ clock, retentionPeriod: 3600 })
  const start = (name: string): Instance => exportingInstance(prometheusUrl, 'minutes', name, storeAt())
  const counts: number[] = []
  const fails: number[] = []
  let one = start('one')
  let two: Instance | undefined
  for (let minute = 0; minute < MINUTES; minute += 1) {
    if (ANEW.includes(minute)) one = start('one')
    if (minute === 12 || minute === 20) two = start('two')
    if (minute === 25) two = undefined
    let count = 0
    for (const { store } of [one, ...(two ? [two] : [])]) {
      const calls = 1 + (minute % 7)
      for (let index = 0; index < calls; index += 1)
        recordResolver(store, 'Query.users', call(0.01 * (1 + index), index === 3))
      count += calls
    }
    clock.advance(10)
    for (const instance of [one, ...(two ? [two] : [])]) {
      // Nothing is exported for five minutes, though it goes on.
      if (minute < 34 || minute > 38) await instance.deliver()
    }
    counts.push(count)
    fails.push((minute % 7 >= 3 ? 1 : 0) * (two === undefined ? 1 : 2))
    clock.advance(50)
  }
  const sum = (list: readonly number[], from = 0, to = MINUTES): number =>
    list.slice(from, to).reduce((total, one) => total + one, 0)
  const reader = readerOf(prometheusUrl, 'minutes')
  const at = (minute: number): number => began - MINUTE / 2 + minute * MINUTE
  for (const [from, to] of [
    [0, MINUTES],
    [10, 30],
    [17, 18],
    [18, 31],
    [20, 24],
    [31, 33],
    [40, 44]
  ] as const) {
    // prettier-ignore
    // Halved until there is nothing left to halve: large fleets are read so.
    const increases = new Increases(new PrometheusClient(`prometheus+${prometheusUrl}`), 1)
    const question = { metric: 'graphql_server_resolver_duration_seconds', labels: { job: 'minutes' }, attributes: [] }
    const parts = await increases.total(question, { from: at(from), to: at(to), base: at(-60) })
    const halved = parts.reduce((total, { amount }) => total + amount.count, 0)
    t.equal(halved, sum(counts, from, to), `minutes ${from} to ${to}, halved`)
    const [found] = await reader.rollups({ kinds: ['resolvers'] }, { from: at(from), to: at(to) })
    t.equal(found?.rollup.times.count, sum(counts, from, to), `minutes ${from} to ${to}`)
    t.equal(found?.rollup.errors, sum(fails, from, to), `minutes ${from} to ${to}: errors`)
  }
  for (const [from, to, step] of [
    [0, MINUTES, 1],
    [3, 33, 5],
    [12, 14, 1]
  ] as const) {
    // prettier-ignore
    const choice = { kinds: ['resolvers'], name: 'Query.users' } as const
    const points = await reader.timeline(choice, { from: at(from), to: at(to) }, step * MINUTE)
    const total = points.reduce((sum, { rollup }) => sum + rollup.times.count, 0)
    t.equal(total, sum(counts, from, to), `steps of ${step} from ${from} to ${to}`)
    if (step === 1) {
      for (const { at: time, rollup } of points) {
        const minute = (time - at(0)) / MINUTE
        const expected = minute === 39 ? sum(counts, 34, 40) : counts[minute]
        t.equal(rollup.times.count, expected, `minute ${minute}`)
      }
    }
  }
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

/** A clock that is moved by hand, from a time that Prometheus still takes. */
function clockFrom(wall: number): ManualClock {
  const clock = manualClock()
  clock.step((wall - clock.wall()) / 1000)
  return clock
}

function floorToMinute(time: number): number {
  return Math.floor(time / MINUTE) * MINUTE
}
