import { SpanStatusCode } from '@opentelemetry/api'
import type { Instrumentation } from '@opentelemetry/instrumentation'
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import type { ExecutionResult } from 'graphql'
import { ExecutionInstrumentation } from './resolvers/instrumentation.js'
import type { ExecutionSink } from './resolvers/sinks.js'
import { recordRows } from './rows.js'
import { isScrape } from './scrapes.js'
import { UnsampledShortcut } from './unsampled.js'

/** The instrumentations that a process needs; `isExporting` says whether traces leave it. */
export function instrumentations(sink: ExecutionSink, isExporting: boolean): Instrumentation[] {
  // Ours comes after it, so that what a pool calls back runs in the call that has asked for a connection: whatever is bound
  // last decides that. And before the one for GraphQL, to be inside of the execution span.
  const measuring = [
    new PgInstrumentation({ responseHook: recordRows }),
    new ExecutionInstrumentation({ sink, isExporting })
  ]
  // The rest makes spans that nothing but a trace needs.
  return isExporting
    ? [
        ...measuring,
        new HttpInstrumentation({ ignoreIncomingRequestHook: isScrape }),
        graphqlInstrumentation(),
        new UnsampledShortcut()
      ]
    : measuring
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
