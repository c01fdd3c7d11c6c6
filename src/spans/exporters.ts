import { diag } from '@opentelemetry/api'
import { getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor
} from '@opentelemetry/sdk-trace'

/**
 * The processors that export spans, as the `OTEL_*` variables say. NodeSDK stops reading them once it is given
 * processors of our own. Unlike there, nothing is exported while neither an exporter nor an endpoint is named.
 */
export function exportersFromEnvironment(): SpanProcessor[] {
  return exporterNames().flatMap((name): SpanProcessor[] => {
    if (name === 'otlp') return [new BatchSpanProcessor({ exporter: otlpExporter(), ...batchLimits() })]
    if (name === 'console') return [new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })]
    if (name !== 'none') diag.warn(`OTEL_TRACES_EXPORTER names "${name}": expected otlp, console or none; ignoring it`)
    return []
  })
}

/** Whether the variables ask for a signal to be exported; `TRACES`, `METRICS` or `LOGS`. */
export function isExported(signal: 'TRACES' | 'METRICS' | 'LOGS'): boolean {
  return [`OTEL_${signal}_EXPORTER`, 'OTEL_EXPORTER_OTLP_ENDPOINT', `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`].some(
    variable => getStringFromEnv(variable) !== undefined
  )
}

function exporterNames(): string[] {
  if (!isExported('TRACES')) return []
  return [...new Set(getStringListFromEnv('OTEL_TRACES_EXPORTER') ?? ['otlp'])]
}

function otlpExporter(): SpanExporter {
  const protocol =
    getStringFromEnv('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ??
    getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL') ??
    'http/protobuf'
  if (protocol === 'grpc') return new GrpcExporter()
  if (protocol === 'http/json') return new JsonExporter()
  if (protocol !== 'http/protobuf') {
    diag.warn(
      `OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}": expected grpc, http/json or http/protobuf; taking the last`
    )
  }
  return new ProtobufExporter()
}

const batchVariables = {
  maxQueueSize: 'OTEL_BSP_MAX_QUEUE_SIZE',
  scheduledDelayMillis: 'OTEL_BSP_SCHEDULE_DELAY',
  exportTimeoutMillis: 'OTEL_BSP_EXPORT_TIMEOUT',
  maxExportBatchSize: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'
}

function batchLimits(): Record<string, number> {
  const given = Object.entries(batchVariables).map(([option, variable]) => [option, positive(variable)] as const)
  return Object.fromEntries(given.filter((entry): entry is [string, number] => entry[1] !== undefined))
}

function positive(variable: string): number | undefined {
  const value = getNumberFromEnv(variable)
  if (value === undefined || value > 0) return value
  diag.warn(`${variable} is ${value}: expected a number above 0; taking the default`)
  return undefined
}
