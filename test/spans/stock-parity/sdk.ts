/** To be preloaded: an SDK as an app assembles it; SPANS says whose resolver spans it uses. */
import { SpanStatusCode } from '@opentelemetry/api'
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { NodeSDK } from '@opentelemetry/sdk-node'
import type { ExecutionResult } from 'graphql'
import { PerformanceSpanProcessor, ResolverInstrumentation } from 'mercurius-performance'

const stock = new GraphQLInstrumentation({
  ignoreTrivialResolveSpans: true,
  // Left to itself it does not mark the operations whose answers have errors.
  responseHook: (span, result) => {
    const { errors = [] } = result as ExecutionResult
    if (errors.length > 0) span.setStatus({ code: SpanStatusCode.ERROR })
  }
})

new NodeSDK({
  instrumentations:
    process.env.SPANS === 'stock'
      ? [stock]
      : [new ResolverInstrumentation(), new GraphQLInstrumentation({ ignoreResolveSpans: true })],
  spanProcessors: [new PerformanceSpanProcessor()],
  metricReaders: [],
  logRecordProcessors: []
}).start()
