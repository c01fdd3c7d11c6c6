import { diag } from '@opentelemetry/api'
import { getStringListFromEnv } from '@opentelemetry/core'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanExporter
} from '@opentelemetry/sdk-trace'
import type { ExportAccount } from './account.js'
import { AccountedProcessor } from './accounted-processor.js'
import { isExported, LONGEST_TIMER, otlpVariable, protocolOf, wholeNumber } from './variables.js'

/** As the specification has them. */
const QUEUE_SIZE = 2048
const BATCH_SIZE = 512
/**
 * Milliseconds. The specification has ten seconds, in which a collector that hangs and comes back would not be noticed
 * soon enough to send to it again within ten seconds.
 */
const OTLP_TIMEOUT = 8_000

/**
 * The processors that export spans and keep `account` of them, as the `OTEL_*` variables say. NodeSDK stops reading these
 * once it is given processors of our own. Unlike there, nothing is exported while neither an exporter nor an endpoint is
 * named.
 */
export function exportersFromEnvironment(account: ExportAccount): AccountedProcessor[] {
  return exporterNames().flatMap((name): AccountedProcessor[] => {
    if (name === 'otlp') return [otlpProcessor(account)]
    if (name === 'console') return [consoleProcessor(account)]
    if (name !== 'none') diag.warn(`OTEL_TRACES_EXPORTER names "${name}": expected otlp, console or none; ignoring it`)
    return []
  })
}

function exporterNames(): string[] {
  if (!isExported('TRACES')) return []
  return [...new Set(getStringListFromEnv('OTEL_TRACES_EXPORTER') ?? ['otlp'])]
}

function otlpProcessor(account: ExportAccount): AccountedProcessor {
  const limits = batchLimits()
  const queued = limits.maxQueueSize ?? QUEUE_SIZE
  const batch = Math.min(queued, limits.maxExportBatchSize ?? BATCH_SIZE)
  return new AccountedProcessor(
    account,
    otlpExporter(),
    { queued, waiting: queued + batch },
    exporter => new BatchSpanProcessor({ exporter, ...limits })
  )
}

function consoleProcessor(account: ExportAccount): AccountedProcessor {
  const make = (exporter: SpanExporter): SimpleSpanProcessor => new SimpleSpanProcessor({ exporter })
  return new AccountedProcessor(account, new ConsoleSpanExporter(), UNBOUNDED, make)
}

/** Each span is written at once. */
const UNBOUNDED = { queued: Infinity, waiting: Infinity }

function otlpExporter(): SpanExporter {
  const options = otlpVariable('TRACES', 'TIMEOUT') === undefined ? { timeoutMillis: OTLP_TIMEOUT } : {}
  const protocol = protocolOf('TRACES')
  if (protocol === 'grpc') return new GrpcExporter(options)
  return protocol === 'http/json' ? new JsonExporter(options) : new ProtobufExporter(options)
}

const batchVariables = {
  maxQueueSize: 'OTEL_BSP_MAX_QUEUE_SIZE',
  scheduledDelayMillis: 'OTEL_BSP_SCHEDULE_DELAY',
  exportTimeoutMillis: 'OTEL_BSP_EXPORT_TIMEOUT',
  maxExportBatchSize: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'
}

function batchLimits(): Partial<Record<keyof typeof batchVariables, number>> {
  const given = Object.entries(batchVariables).map(
    ([option, variable]) => [option, wholeNumber(variable, LONGEST_TIMER)] as const
  )
  return Object.fromEntries(given.filter((entry): entry is [string, number] => entry[1] !== undefined))
}
