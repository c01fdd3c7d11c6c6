import { diag } from '@opentelemetry/api'
import { getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core'
import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import {
  AggregationTemporality,
  AggregationType,
  ConsoleMetricExporter,
  InstrumentType,
  PeriodicExportingMetricReader,
  type MetricReader,
  type PushMetricExporter
} from '@opentelemetry/sdk-metrics'
import { isExported, LONGEST_TIMER, protocolOf, wholeNumber } from '../spans/export/variables.js'
import type { MetricExport } from '../spans/telemetry.js'
import type { Store } from '../store/store.js'
import { confirming } from './confirming.js'
import { COUNTED_ALREADY } from './names.js'
import { StoreMetricProducer } from './producer.js'
import { PrometheusReader } from './prometheus-reader.js'

const PROMETHEUS_PORT = 9464
const HIGHEST_PORT = 65_535
/**
 * Data points in a message. A gRPC server, the Collector's too, takes 4 MiB: a point has at most 3,009 buckets, and
 * with less than two million calls in each of them it is at most 9.5 KB, its attributes included.
 */
const POINTS_IN_MESSAGE = 400

/**
 * The readers of metrics that the `OTEL_*` variables ask for, which NodeSDK stops reading once it is given some of
 * ours. Unlike there, nothing is exported while neither an exporter nor an endpoint nor a port is named, and Prometheus
 * finds an open port on the loopback address alone unless another one is named.
 */
export function metricExportFromEnvironment(store: Store): MetricExport {
  const names = exporterNames()
  const times = names.some(name => name !== 'prometheus') ? periodicTimes() : undefined
  const readers = names.flatMap((name): MetricReader[] => {
    if (name === 'otlp') return [periodicReader(store, otlpExporter(), times)]
    if (name === 'console') return [periodicReader(store, new ConsoleMetricExporter(), times)]
    if (name === 'prometheus') return [prometheusReader(store)]
    diag.warn(`OTEL_METRICS_EXPORTER names "${name}": expected otlp, console, prometheus or none; ignoring it`)
    return []
  })
  return { readers, views: [{ ...COUNTED_ALREADY, aggregation: { type: AggregationType.DROP } }] }
}

function exporterNames(): string[] {
  const names = isExported('METRICS') ? (getStringListFromEnv('OTEL_METRICS_EXPORTER') ?? ['otlp']) : []
  if (names.includes('none')) return []
  const hasPort = getStringFromEnv('OTEL_EXPORTER_PROMETHEUS_PORT') !== undefined
  return [...new Set(hasPort ? [...names, 'prometheus'] : names)]
}

interface PeriodicTimes {
  readonly exportIntervalMillis: number
  readonly exportTimeoutMillis: number
}

function periodicTimes(): PeriodicTimes {
  const exportIntervalMillis = wholeNumber('OTEL_METRIC_EXPORT_INTERVAL', LONGEST_TIMER) ?? 60_000
  const timeout = wholeNumber('OTEL_METRIC_EXPORT_TIMEOUT', LONGEST_TIMER)
  if (timeout !== undefined && timeout > exportIntervalMillis) {
    diag.warn(`OTEL_METRIC_EXPORT_TIMEOUT is ${timeout}: expected at most the interval; taking ${exportIntervalMillis}`)
  }
  return { exportIntervalMillis, exportTimeoutMillis: Math.min(timeout ?? 30_000, exportIntervalMillis) }
}

function periodicReader(store: Store, exporter: PushMetricExporter, times = periodicTimes()): MetricReader {
  const preferred = exporter.selectAggregationTemporality?.(InstrumentType.HISTOGRAM)
  const temporality = preferred === AggregationTemporality.DELTA ? 'delta' : 'cumulative'
  const interval = times.exportIntervalMillis / 1000
  const producer = new StoreMetricProducer(store, { temporality, interval, isConfirmed: true })
  return new PeriodicExportingMetricReader({
    exporter: confirming(exporter, producer),
    ...times,
    maxExportBatchSize: POINTS_IN_MESSAGE,
    metricProducers: [producer]
  })
}

function prometheusReader(store: Store): MetricReader {
  return new PrometheusReader({
    host: getStringFromEnv('OTEL_EXPORTER_PROMETHEUS_HOST') ?? '127.0.0.1',
    port: wholeNumber('OTEL_EXPORTER_PROMETHEUS_PORT', HIGHEST_PORT) ?? PROMETHEUS_PORT,
    producer: new StoreMetricProducer(store)
  })
}

function otlpExporter(): PushMetricExporter {
  const protocol = protocolOf('METRICS')
  if (protocol === 'grpc') return new GrpcExporter()
  return protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter()
}
