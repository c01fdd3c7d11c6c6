import { hostname } from 'node:os'
import { getStringFromEnv } from '@opentelemetry/core'
import type { MetricReader, ViewOptions } from '@opentelemetry/sdk-metrics'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import type { SpanProcessor } from '@opentelemetry/sdk-trace'
import { systemClock } from '../lib/clock.js'
import { DirectContextManager } from './context-manager.js'
import { ExportAccount, type ExportReport } from './export/account.js'
import { Diagnostics, type WriteDiagnostic } from './export/diagnostics.js'
import { exportersFromEnvironment } from './export/exporters.js'
import { SlowTraces } from './export/slow-traces.js'
import { isExported } from './export/variables.js'
import { instrumentations } from './instrumentations.js'
import { isFirstProvider, isInCharge, resourceOfProcess } from './other-sdk.js'
import { SpanAggregator, type SpanSink } from './processor.js'
import type { DirectContexts, ExecutionSink, SlowTraceExport } from './resolvers/sinks.js'
import type { SpanEnded } from './resolvers/span.js'
import { createSampler } from './sampler.js'
import { scrub } from './scrub.js'

export type TelemetrySink = SpanSink &
  ExecutionSink & {
    contexts: DirectContexts | undefined
    spanEnded: SpanEnded | undefined
    slowTraces: SlowTraceExport | undefined
    /** Operations a minute that are exported although they were not sampled. */
    readonly slowTracesPerMinute: number
    /** Takes what OpenTelemetry has to say. */
    readonly diagnosed: WriteDiagnostic
  }

/** What is exported of this process. */
export interface Exporting {
  /** Sends what waits for it. */
  flush(): Promise<void>
  /** Undefined where no spans are. */
  readonly report: ExportReport | undefined
}

/** Who reads metrics, and what is changed of those that instrumentations record. */
export interface MetricExport {
  readonly readers: readonly MetricReader[]
  readonly views: readonly ViewOptions[]
}

/**
 * Starts the OpenTelemetry SDK with the instrumentations we aggregate and, where the `OTEL_*` variables ask for it, with
 * exporters; `metricExport` says who reads metrics. To be called before the application loads http, graphql or pg. Returns
 * what is exported.
 */
export function startTelemetry(
  sink: TelemetrySink,
  metricExport: () => MetricExport = () => ({ readers: [], views: [] })
): Exporting {
  // First, so that what the variables of the rest have wrong is heard.
  const diagnostics = new Diagnostics(systemClock, sink.diagnosed)
  const account = new ExportAccount()
  const exporters = exportersFromEnvironment(account)
  const { readers, views } = metricExport()
  const contextManager = new DirectContextManager()
  const sampler = createSampler(() => sink.accepts())
  diagnostics.giveWay()
  const sdk = new NodeSDK({
    instrumentations: instrumentations(sink, exporters.length > 0),
    sampler,
    contextManager,
    spanProcessors: [new SpanAggregator(sink), ...exporters],
    resource: named(),
    // The process detector would export the command line, which may hold a password.
    ...(getStringFromEnv('OTEL_NODE_RESOURCE_DETECTORS') === undefined && {
      resourceDetectors: [resources.envDetector, resources.hostDetector]
    }),
    metricReaders: [...readers],
    views: [...views],
    // Left to themselves, logs would go to an OTLP endpoint that nobody named.
    ...(isExported('LOGS') ? {} : { logRecordProcessors: [] })
  })
  const isFirst = isFirstProvider()
  sdk.start()
  if (isInCharge(contextManager)) sink.contexts = contextManager
  if (isFirst && exporters.length > 0) {
    sink.spanEnded = exported(exporters)
    sink.slowTraces = new SlowTraces({
      clock: systemClock,
      exporters,
      resource: resourceOfProcess(),
      sql: () => sink.sql,
      perMinute: () => sink.slowTracesPerMinute,
      caught: error => {
        sink.caught(error)
      }
    })
  }
  diagnostics.started()
  // An application that ends by itself has no plugin that closes.
  process.once('beforeExit', () => void sdk.shutdown().catch(() => undefined))
  return {
    flush: async () => {
      await Promise.allSettled([...exporters, ...readers].map(exporter => exporter.forceFlush()))
    },
    get report() {
      return exporters.length > 0 ? account.report : undefined
    }
  }
}

/** Hands the spans of resolver calls on to be exported; what others put on them is cleaned as on any other span. */
function exported(exporters: readonly SpanProcessor[]): SpanEnded {
  return span => {
    if (span.isTouched) scrub(span, undefined)
    for (const exporter of exporters) exporter.onEnd(span)
  }
}

/**
 * Under the name that the process has in history too, unless OTEL_RESOURCE_ATTRIBUTES gives it another one: without one,
 * what two processes of a service count would overwrite each other in Prometheus.
 */
function named(): ReturnType<typeof resources.defaultResource> {
  const name = getStringFromEnv('PERFORMANCE_INSTANCE') ?? hostname()
  return resources.defaultResource().merge(resources.resourceFromAttributes({ 'service.instance.id': name }))
}
