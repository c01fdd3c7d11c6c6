import { ExportResultCode } from '@opentelemetry/core'
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { INSTRUMENTATION_NAME } from '../spans/sample.js'
import type { StoreMetricProducer } from './producer.js'

/**
 * An exporter that tells the producer which of its data points have arrived: what was collected and then lost on its
 * way must not be forgotten. A collection may leave in several messages, and is delivered when all of them are.
 */
export function confirming(exporter: PushMetricExporter, producer: StoreMetricProducer): PushMetricExporter {
  return {
    export: (metrics, done) => {
      // That of now: an answer may come when there is a later one.
      const { delivery } = producer
      const points = pointsOf(metrics)
      exporter.export(metrics, result => {
        if (result.code === ExportResultCode.SUCCESS) delivery?.arrived(points)
        done(result)
      })
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
    ...(exporter.selectAggregation && { selectAggregation: exporter.selectAggregation.bind(exporter) }),
    ...(exporter.selectAggregationTemporality && {
      selectAggregationTemporality: exporter.selectAggregationTemporality.bind(exporter)
    })
  }
}

/** How many of the data points are the producer's. */
function pointsOf({ scopeMetrics }: ResourceMetrics): number {
  return scopeMetrics
    .filter(({ scope }) => scope.name === INSTRUMENTATION_NAME)
    .flatMap(({ metrics }) => metrics)
    .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0)
}
