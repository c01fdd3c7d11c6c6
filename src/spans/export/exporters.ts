import { diag } from '@opentelemetry/api'
import { getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanExporter
} from '@opentelemetry/sdk-trace'
import { AccountedProcessor, type ExportAccount } from './account.js'

/** As the specification has it. */
const QUEUE_SIZE = 2048

/**
 * The processors that export spans and keep `account` of them, as the `OTEL_*` variables say. NodeSDK stops reading them once it is given
 * processors of our own. Unlike there, nothing is exported while neither an exporter nor an endpoint is named.
 */
export function exportersFromEnvironment(account: ExportAccount): AccountedProcessor[] {
  return exporterNames().flatMap((name): AccountedProcessor[] => {
    if (name === 'otlp') return [otlpProcessor(account)]
    if (name === 'console') return [consoleProcessor(account)]
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

function otlpProcessor(account: ExportAccount): AccountedProcessor {
  const limits = batchLimits()
  return new AccountedProcessor(
    account,
    otlpExporter(),
    limits.maxQueueSize ?? QUEUE_SIZE,
    exporter => new BatchSpanProcessor({ exporter, ...limits })
  )
}

function consoleProcessor(account: ExportAccount): AccountedProcessor {
  const make = (exporter: SpanExporter): SimpleSpanProcessor => new SimpleSpanProcessor({ exporter })
  return new AccountedProcessor(account, new ConsoleSpanExporter(), Infinity, make)
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

function batchLimits(): Partial<Record<keyof typeof batchVariables, number>> {
  const given = Object.entries(batchVariables).map(([option, variable]) => [option, positive(variable)] as const)
  return Object.fromEntries(given.filter((entry): entry is [string, number] => entry[1] !== undefined))
}

function positive(variable: string): number | undefined {
  const value = getNumberFromEnv(variable)
  if (value === undefined || value > 0) return value
  diag.warn(`${variable} is ${value}: expected a number above 0; taking the default`)
  return undefined
}
