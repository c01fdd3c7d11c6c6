import { ValueType } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics
} from '@opentelemetry/sdk-metrics'
import { resources } from '@opentelemetry/sdk-node'
import { test } from 'tap'
import { prometheusText } from '../../src/metrics/prometheus-text.js'
import { histogramsOf, parseText } from './text.js'

const point = { startTime: [0, 0] as [number, number], endTime: [60, 0] as [number, number] }
const awkward = { 'url.path': 'a "b"\\c\nd, e="f"} 1', truth: true, list: ['a', 'b'], 'more--dots..here': 1, nünï: 'ö' }

function descriptor(name: string, unit = ''): MetricData['descriptor'] {
  return { name, unit, description: 'A \\ and\na line.', valueType: ValueType.DOUBLE }
}

const aggregationTemporality = AggregationTemporality.CUMULATIVE
const known: MetricData[] = [
  {
    descriptor: descriptor('requests'),
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
    aggregationTemporality,
    dataPoints: [
      { ...point, attributes: awkward, value: 3 },
      { ...point, attributes: {}, value: 0.1 }
    ]
  },
  {
    descriptor: descriptor('db.client.connection.count'),
    dataPointType: DataPointType.SUM,
    isMonotonic: false,
    aggregationTemporality,
    dataPoints: [{ ...point, attributes: { state: 'idle' }, value: -2 }]
  },
  {
    descriptor: descriptor('level'),
    dataPointType: DataPointType.GAUGE,
    aggregationTemporality,
    dataPoints: [Infinity, -Infinity, 1e-7, 1e21].map(value => ({
      ...point,
      attributes: { value: String(value) },
      value
    }))
  },
  {
    descriptor: descriptor('http.server.request.duration'),
    dataPointType: DataPointType.HISTOGRAM,
    aggregationTemporality,
    dataPoints: [
      {
        ...point,
        attributes: { 'http.route': '/' },
        value: { buckets: { boundaries: [0.005, 0.01, 10], counts: [1, 0, 2, 4] }, count: 7, sum: 50.5 }
      }
    ]
  }
]

function all(metrics: MetricData[]): ResourceMetrics {
  const resource = resources.resourceFromAttributes({ 'service.name': 'tracker' })
  return { resource, scopeMetrics: metrics.map(metric => ({ scope: { name: 'test' }, metrics: [metric] })) }
}

test('the text is what the serializer of OpenTelemetry makes, as far as that goes', async t => {
  const ours = await prometheusText(all(known), true)
  const theirs = new PrometheusSerializer(undefined, false, undefined, false, true).serialize(all(known))
  const linesOf = (text: string): string[] =>
    text.split('\n').filter(line => line !== '' && !line.startsWith('# HELP target'))
  t.strictSame(linesOf(ours).sort(), linesOf(theirs).sort())
})

test('an exponential histogram of any scale becomes a classic one with the same count', async t => {
  for (const [scale, offset, expected] of [
    [6, -64, [[0.5, 0], [1, 63], [2, 65]]], // prettier-ignore
    [0, -1, [[0.5, 0], [1, 1], [2, 2]]], // prettier-ignore
    [-1, -1, [[0.125, 0], [1, 1], [2, 1], [4, 2]]] // prettier-ignore
  ] as const) {
    const bucketCounts = new Array<number>(scale === 6 ? 66 : 2).fill(1)
    if (scale === 6) bucketCounts[0] = 0
    const value = {
      count: bucketCounts.reduce((sum, count) => sum + count, 0),
      sum: 1,
      scale,
      zeroCount: 0,
      positive: { offset, bucketCounts },
      negative: { offset: 0, bucketCounts: [] }
    }
    const metric: MetricData = {
      descriptor: descriptor('time', 's'),
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      aggregationTemporality,
      dataPoints: [{ ...point, attributes: {}, value }]
    }
    const [histogram] = histogramsOf(parseText(await prometheusText(all([metric]))).get('time_seconds'))
    const counts = new Map(histogram?.buckets)
    for (const [bound, count] of expected) t.equal(counts.get(bound), count, `${scale}: ${bound}`)
  }
})

test('metrics of one name from two scopes are told in one place', async t => {
  const [counter, ...others] = known
  if (counter === undefined) throw new Error('no metric')
  const again = { ...counter, dataPoints: [{ ...point, attributes: { other: 1 }, value: 5 }] } as MetricData
  const families = parseText(await prometheusText(all([counter, ...others, again])))
  t.equal(families.get('requests_total')?.samples.length, 3)
})

function gauge(name: string, value: number, attributes = {}): MetricData {
  const dataPoints = [{ ...point, attributes, value }]
  return { descriptor: descriptor(name), dataPointType: DataPointType.GAUGE, aggregationTemporality, dataPoints }
}

test('a metric of whose name nothing is left is left out, as an attribute without a name is', async t => {
  const metrics = ['температура', '__', ''].map(name => gauge(name, 1))
  t.equal(await prometheusText(all(metrics)), '')
  const families = parseText(await prometheusText(all([...metrics, gauge('level', 2, { '': 'x', ключ: 'y' })])))
  t.strictSame(
    [...families].map(([name, { samples }]) => [name, samples]),
    [['level', [{ name: 'level', labels: { key_: 'y' }, value: 2 }]]]
  )
})

test('of metrics that come to one name the first decides what it is, and each set of labels is told once', async t => {
  const [counter] = known
  if (counter === undefined) throw new Error('no metric')
  const metrics = [counter, gauge('requests.total', 1), { ...counter, descriptor: descriptor('requests.total') }]
  const levels = [gauge('a.level', 1), gauge('a_level', 2), gauge('a-level', 3, { host: 'b' })]
  const families = parseText(await prometheusText(all([...metrics, ...levels])))
  const { type, samples } = families.get('requests_total') ?? {}
  t.equal(type, 'counter')
  t.strictSame(
    samples?.map(({ value }) => value),
    [3, 0.1]
  )
  t.strictSame(
    families.get('a_level')?.samples.map(({ labels, value }) => [labels, value]),
    [
      [{}, 1],
      [{ host: 'b' }, 3]
    ]
  )
})

test('the bound of a bucket is told once, though an attribute is called like its label', async t => {
  const [histogram] = known.filter(({ dataPointType }) => dataPointType === DataPointType.HISTOGRAM)
  const [dataPoint] = histogram?.dataPoints ?? []
  if (histogram === undefined || dataPoint === undefined) throw new Error('no histogram')
  const called = { ...histogram, dataPoints: [{ ...dataPoint, attributes: { le: 'mine' } }] } as MetricData
  const text = await prometheusText(all([called, gauge('level', 1, { le: 'mine' })]))
  const lines = text.split('\n').filter(line => line.includes('_bucket{'))
  t.ok(lines.length > 3)
  for (const line of lines) t.match(line, /\{exported_le="mine",le="[^"]+"\} /)
  t.match(text, 'level{le="mine"} 1\n', 'where there are no buckets it keeps its name')
})

test('attributes whose names become the same are one label, in the resource too', async t => {
  const attributes = { 'a.b': 'first', a_c: 'alone', a_b: 'second', 'a-b': true, 'a..c': undefined }
  const text = await prometheusText(
    {
      resource: resources.resourceFromAttributes({ 'service.name': 'one', service_name: 'other' }),
      scopeMetrics: [
        {
          scope: { name: 'test' },
          metrics: [
            {
              descriptor: descriptor('level'),
              dataPointType: DataPointType.GAUGE,
              aggregationTemporality,
              dataPoints: [{ ...point, attributes, value: 1 }]
            }
          ]
        }
      ]
    },
    true
  )
  t.match(text, 'level{a_b="true;first;second",a_c="alone"} 1\n')
  t.match(text, 'target_info{service_name="one;other"} 1\n')
})

test('only a gauge of the unit 1 is a ratio, and a counter that ends with `total` ends so once', async t => {
  const dataPoints = [{ ...point, attributes: {}, value: 1 }]
  const sum = { dataPointType: DataPointType.SUM, aggregationTemporality, dataPoints } as const
  const families = parseText(
    await prometheusText(
      all([
        { ...sum, descriptor: descriptor('orders_total', '1'), isMonotonic: true },
        { ...sum, descriptor: descriptor('queue', '1'), isMonotonic: false },
        { descriptor: descriptor('hits', '1'), dataPointType: DataPointType.GAUGE, aggregationTemporality, dataPoints }
      ])
    )
  )
  const types = [...families].map(([name, { type }]) => [name, type])
  t.strictSame(types, [
    ['orders_total', 'counter'],
    ['queue', 'gauge'],
    ['hits_ratio', 'gauge']
  ])
})
