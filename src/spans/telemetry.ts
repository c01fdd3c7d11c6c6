import { context, isSpanContextValid, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Instrumentation } from '@opentelemetry/instrumentation'
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { getStringFromEnv } from '@opentelemetry/core'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import type { SpanProcessor } from '@opentelemetry/sdk-trace'
import type { ExecutionResult } from 'graphql'
import { DirectContextManager } from './context-manager.js'
import { exportersFromEnvironment, isExported } from './exporters.js'
import { SpanAggregator, type SpanSink } from './processor.js'
import { ExecutionInstrumentation } from './resolvers/instrumentation.js'
import type { DirectContexts, ExecutionSink } from './resolvers/sinks.js'
import type { SpanEnded } from './resolvers/span.js'
import { recordRows } from './rows.js'
import { INSTRUMENTATION_NAME } from './sample.js'
import { createSampler } from './sampler.js'
import { scrub } from './scrub.js'

export type TelemetrySink = SpanSink &
  ExecutionSink & { contexts: DirectContexts | undefined; spanEnded: SpanEnded | undefined }

/**
 * Starts the OpenTelemetry SDK with the instrumentations we aggregate and, where the `OTEL_*` variables ask for it, with
 * exporters. To be called before the application loads http, graphql or pg. Returns how to send what waits for export.
 */
export function startTelemetry(sink: TelemetrySink): () => Promise<void> {
  const exporters = exportersFromEnvironment()
  const contextManager = new DirectContextManager()
  const sdk = new NodeSDK({
    instrumentations: instrumentations(sink, exporters.length > 0),
    sampler: createSampler(() => sink.accepts()),
    contextManager,
    spanProcessors: [new SpanAggregator(sink), ...exporters],
    // The process detector would export the command line, which may hold a password.
    ...(getStringFromEnv('OTEL_NODE_RESOURCE_DETECTORS') === undefined && {
      resourceDetectors: [resources.envDetector, resources.hostDetector]
    }),
    // Left to themselves, metrics and logs would go to an OTLP endpoint that nobody named.
    ...(isExported('METRICS') ? {} : { metricReaders: [] }),
    ...(isExported('LOGS') ? {} : { logRecordProcessors: [] })
  })
  const isFirst = isFirstProvider()
  sdk.start()
  if (isInCharge(contextManager)) sink.contexts = contextManager
  if (isFirst && exporters.length > 0) sink.spanEnded = exported(exporters)
  // An application that ends by itself has no plugin that closes.
  process.once('beforeExit', () => void sdk.shutdown().catch(() => undefined))
  return async () => {
    await Promise.all(exporters.map(exporter => exporter.forceFlush()))
  }
}

/** Hands the spans of resolver calls on to be exported; what others put on them is cleaned as on any other span. */
function exported(exporters: readonly SpanProcessor[]): SpanEnded {
  return span => {
    if (span.isTouched) scrub(span, undefined)
    for (const exporter of exporters) exporter.onEnd(span)
  }
}

/** Whether no other SDK makes the spans of this process, which would export those of operations to where it wants. */
function isFirstProvider(): boolean {
  // Where nobody has registered one, spans have no ids.
  return !isSpanContextValid(trace.getTracer(INSTRUMENTATION_NAME).startSpan('probe').spanContext())
}

/** Whether contexts that are entered here are those that the API sees: another SDK may have been there before. */
function isInCharge(contextManager: DirectContextManager): boolean {
  const probe = context.active().setValue(Symbol('probe'), true)
  const before = contextManager.enter(probe)
  const isSeen = context.active() === probe
  contextManager.leave(before)
  // Until something needs contexts, promises need not be followed.
  contextManager.disable()
  return isSeen
}

function instrumentations(sink: TelemetrySink, isExporting: boolean): Instrumentation[] {
  const measuring = [
    new ExecutionInstrumentation({ sink, isExporting }),
    new PgInstrumentation({ responseHook: recordRows })
  ]
  // The rest makes spans that nothing but a trace needs. Ours comes first, to be inside of the execution span.
  return isExporting ? [...measuring, new HttpInstrumentation(), graphqlInstrumentation()] : measuring
}

function graphqlInstrumentation(): GraphQLInstrumentation {
  return new GraphQLInstrumentation({
    ignoreResolveSpans: true,
    // The instrumentation leaves an operation with errors unmarked.
    responseHook: (span, result) => {
      const { errors = [] } = result as ExecutionResult
      if (errors.length > 0) span.setStatus({ code: SpanStatusCode.ERROR })
    }
  })
}
