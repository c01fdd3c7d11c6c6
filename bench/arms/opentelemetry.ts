/** OpenTelemetry as it comes, exporting nothing; preloaded. */
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { NoopSpanProcessor } from '@opentelemetry/sdk-trace'

new NodeSDK({
  instrumentations: [
    new GraphQLInstrumentation({ ignoreTrivialResolveSpans: process.env.BENCH_IGNORE_TRIVIAL !== undefined })
  ],
  spanProcessors: [new NoopSpanProcessor()],
  metricReaders: [],
  logRecordProcessors: []
}).start()
