import type { HrTime } from '@opentelemetry/api'
import {
  DataPointType,
  type AggregationTemporality,
  type DataPoint,
  type ExponentialHistogram,
  type MetricProducer
} from '@opentelemetry/sdk-metrics'

export interface Collected {
  readonly temporality: Set<AggregationTemporality>
  readonly units: Map<string, string>
  readonly durations: Map<string, Map<string, DataPoint<ExponentialHistogram>>>
  readonly errors: Map<string, Map<string, DataPoint<number>>>
}

/** What a producer yields, by the name of the metric and by the attributes as text. */
export async function collect(producer: MetricProducer): Promise<Collected> {
  const { resourceMetrics } = await producer.collect()
  const collected: Collected = { temporality: new Set(), units: new Map(), durations: new Map(), errors: new Map() }
  for (const metric of resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)) {
    const { name, unit } = metric.descriptor
    collected.temporality.add(metric.aggregationTemporality)
    collected.units.set(name, unit)
    if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
      collected.durations.set(name, byAttributes(metric.dataPoints))
    } else if (metric.dataPointType === DataPointType.SUM && metric.isMonotonic) {
      collected.errors.set(name, byAttributes(metric.dataPoints))
    } else {
      throw new Error(`${name} is neither a histogram nor a count`)
    }
  }
  return collected
}

function byAttributes<Value>(points: readonly DataPoint<Value>[]): Map<string, DataPoint<Value>> {
  const found = new Map(points.map(point => [JSON.stringify(point.attributes), point]))
  if (found.size !== points.length) throw new Error('two points have the same attributes')
  return found
}

/** The counts of a histogram's buckets, the zeros under -Infinity. */
export function bucketsOf({ positive, zeroCount }: ExponentialHistogram): Map<number, number> {
  const { offset, bucketCounts } = positive
  const filled = bucketCounts.flatMap((count, at): [number, number][] => (count === 0 ? [] : [[offset + at, count]]))
  return new Map(zeroCount === 0 ? filled : [[-Infinity, zeroCount], ...filled])
}

export function millisecondsOf([seconds, nanoseconds]: HrTime): number {
  return seconds * 1000 + nanoseconds / 1e6
}
