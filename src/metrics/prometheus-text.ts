import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import {
  DataPointType,
  type DataPoint,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
  type ResourceMetrics
} from '@opentelemetry/sdk-metrics'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Powers of two of a second, 61 µs to 32 s. Those are bounds of the buckets that are kept, so no count is an estimate. */
const FIRST_POWER = -14
const BOUNDARIES = Array.from({ length: 20 }, (_, index) => 2 ** (FIRST_POWER + index))

/** What a unit is called at the end of a name, as the Collector calls it. */
const unitNames = new Map([
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['By', 'bytes']
])

/**
 * Metrics in Prometheus' text format 0.0.4, under the names that they have there when they come through a Collector. That
 * format knows no exponential histograms; they become classic ones.
 *
 * @param isWhole whether the resource is told too, as `target_info`
 */
export function prometheusText({ resource, scopeMetrics }: ResourceMetrics, isWhole = false): string {
  const serializer = new PrometheusSerializer(undefined, false, undefined, !isWhole, true)
  const converted = scopeMetrics.map(({ scope, metrics }) => ({ scope, metrics: metrics.map(plain) }))
  return `${serializer.serialize({ resource, scopeMetrics: converted }).trimEnd()}\n`
}

function plain(metric: MetricData): MetricData {
  const unit = unitNames.get(metric.descriptor.unit)
  const name = unit === undefined ? metric.descriptor.name : `${metric.descriptor.name}.${unit}`
  // In this format a unit has no line of its own.
  const descriptor = { ...metric.descriptor, name, unit: '' }
  if (metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) return { ...metric, descriptor }
  const dataPoints = metric.dataPoints.map(classic)
  return { ...metric, descriptor, dataPointType: DataPointType.HISTOGRAM, dataPoints }
}

function classic(point: DataPoint<ExponentialHistogram>): DataPoint<Histogram> {
  const { count, sum, scale, zeroCount, positive } = point.value
  const counts = new Array<number>(BOUNDARIES.length + 1).fill(0)
  const add = (place: number, more: number): void => {
    counts[place] = (counts[place] ?? 0) + more
  }
  add(0, zeroCount)
  for (const [index, more] of positive.bucketCounts.entries()) {
    // The power of two that is the bucket's upper bound, or the next above it.
    const power = Math.ceil((positive.offset + index + 1) / 2 ** scale)
    add(Math.min(Math.max(power - FIRST_POWER, 0), BOUNDARIES.length), more)
  }
  const value = { buckets: { boundaries: BOUNDARIES, counts }, count, ...(sum === undefined ? {} : { sum }) }
  return { ...point, value }
}
