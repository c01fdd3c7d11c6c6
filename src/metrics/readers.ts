import { diag } from '@opentelemetry/api'
import { getBooleanFromEnv, getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core'
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
import { isExported } from '../spans/export/exporters.js'
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
/** In milliseconds. Node calls a timer that is set for longer at once. */
const LONGEST_INTERVAL = 2 ** 31 - 1

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
  if (getBooleanFromEnv('OTEL_SDK_DISABLED')) return []
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
  const exportIntervalMillis = bounded('OTEL_METRIC_EXPORT_INTERVAL', LONGEST_INTERVAL) ?? 60_000
  const timeout = bounded('OTEL_METRIC_EXPORT_TIMEOUT', LONGEST_INTERVAL)
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
    port: bounded('OTEL_EXPORTER_PROMETHEUS_PORT', HIGHEST_PORT) ?? PROMETHEUS_PORT,
    producer: new StoreMetricProducer(store)
  })
}

function otlpExporter(): PushMetricExporter {
  const specific = 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'
  const variable = getStringFromEnv(specific) === undefined ? 'OTEL_EXPORTER_OTLP_PROTOCOL' : specific
  const protocol = getStringFromEnv(variable)?.trim() ?? 'http/protobuf'
  if (protocol === 'grpc') return new GrpcExporter()
  if (protocol === 'http/json') return new JsonExporter()
  if (protocol !== 'http/protobuf') {
    diag.warn(`${variable} is "${protocol}": expected grpc, http/json or http/protobuf; taking the last`)
  }
  return new ProtobufExporter()
}

/** A whole number from 1 to `highest`. What is no number at all is warned of where it is read. */
function bounded(variable: string, highest: number): number | undefined {
  const value = getNumberFromEnv(variable)
  if (value === undefined || (Number.isInteger(value) && value > 0 && value <= highest)) return value
  diag.warn(`${variable} is ${value}: expected a whole number from 1 to ${highest}; taking the default`)
  return undefined
}
