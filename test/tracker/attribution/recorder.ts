/** To be imported first: measures this process and writes down which resolver each SQL statement is ascribed to. */
import { ExportResultCode } from '@opentelemetry/core'
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { SimpleSpanProcessor, type Span, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { PerformanceSpanProcessor } from 'mercurius-performance'
import { resolveConfig } from '../../../dist/config.js'
import { Monitor } from '../../../dist/monitor.js'
import { createSampler } from '../../../dist/spans/sampler.js'
import { ExecutionInstrumentation } from '../../../dist/spans/resolvers/instrumentation.js'

export interface Ascribed {
  /** The statement as it was sent, comments included. */
  readonly text: string
  /** `Type.field`; undefined where it is ascribed to none. */
  readonly resolver: string | undefined
  /** The name of the operation that the resolver was called in. */
  readonly operation: string | undefined
}

export const ascribed: Ascribed[] = []

/** The statement of the span that is ending right now, before it is redacted. */
let text = ''

const reader: SpanProcessor = {
  onStart: () => undefined,
  onEnding: (span: Span) => {
    const sent = span.attributes['db.query.text']
    text = typeof sent === 'string' ? sent : ''
  },
  onEnd: () => undefined,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve()
}

type Query = Parameters<PerformanceSink['query']>
type PerformanceSink = ConstructorParameters<typeof PerformanceSpanProcessor>[0] & object

class Recorder extends Monitor {
  override query(statement: Query[0], measurement: Query[1], call?: Query[2]): void {
    ascribed.push({ text, resolver: call?.name, operation: call?.execution.facts.name })
    super.query(statement, measurement)
  }
}

export const monitor = new Recorder(resolveConfig({}, { logAllMetrics: false }), {})

/**
 * As the preload does it while nothing is exported, as it does it with an exporter, as README has it for an SDK, or as an
 * SDK would have it that wants resolvers and SQL alone.
 */
const arm = process.env.ARM ?? 'preload'
const hasStock = arm === 'exporting' || arm === 'own SDK'
const hasOwnSampler = arm === 'preload' || arm === 'exporting'

const exporter = new SimpleSpanProcessor({
  exporter: {
    export: (_spans, done) => {
      done({ code: ExportResultCode.SUCCESS })
    },
    shutdown: () => Promise.resolve()
  }
})

new NodeSDK({
  instrumentations: [
    new ExecutionInstrumentation({ sink: monitor, isExporting: arm !== 'preload' }),
    // After ours: each wraps what is there when it is made.
    ...(hasStock ? [new GraphQLInstrumentation({ ignoreResolveSpans: true })] : []),
    new PgInstrumentation()
  ],
  ...(hasOwnSampler ? { sampler: createSampler(() => true) } : {}),
  spanProcessors: [reader, new PerformanceSpanProcessor(monitor), ...(arm === 'preload' ? [] : [exporter])],
  metricReaders: [],
  logRecordProcessors: []
}).start()
