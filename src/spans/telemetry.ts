import { SpanStatusCode } from '@opentelemetry/api'
import type { Instrumentation } from '@opentelemetry/instrumentation'
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { NodeSDK } from '@opentelemetry/sdk-node'
import type { ExecutionResult } from 'graphql'
import { exportersFromEnvironment, isExported } from './exporters.js'
import { SpanAggregator, type SpanSink } from './processor.js'
import { createSampler } from './sampler.js'

/**
 * Starts the OpenTelemetry SDK with the instrumentations we aggregate and, where the `OTEL_*` variables ask for it, with
 * exporters. To be called before the application loads http, graphql or pg.
 */
export function startTelemetry(sink: SpanSink): void {
  const sdk = new NodeSDK({
    instrumentations: instrumentations(),
    sampler: createSampler(() => sink.accepts()),
    spanProcessors: [new SpanAggregator(sink), ...exportersFromEnvironment()],
    // Left to themselves, metrics and logs would go to an OTLP endpoint that nobody named.
    ...(isExported('METRICS') ? {} : { metricReaders: [] }),
    ...(isExported('LOGS') ? {} : { logRecordProcessors: [] })
  })
  sdk.start()
}

function instrumentations(): Instrumentation[] {
  return [
    new HttpInstrumentation(),
    new GraphQLInstrumentation({
      ignoreTrivialResolveSpans: true,
      // The instrumentation leaves an operation with errors unmarked.
      responseHook: (span, result) => {
        const { errors = [] } = result as ExecutionResult
        if (errors.length > 0) span.setStatus({ code: SpanStatusCode.ERROR })
      }
    }),
    new PgInstrumentation()
  ]
}
