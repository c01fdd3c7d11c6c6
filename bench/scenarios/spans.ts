import { SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api'
import { NoopSpanProcessor, TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { resolveConfig } from '../../src/config.js'
import { createMonitor } from '../../src/monitor.js'
import { SpanAggregator } from '../../src/spans/processor.js'
import type { Arm, Scenario } from '../harness.js'

const SPANS = 20_000
const SERIES = 200

/** Seven resolver spans, two queries and an operation in ten, over 200 names, as the instrumentations make them. */
function ending(name: string, processor: SpanProcessor): Arm {
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('bench')
  let spans: Span[] = []
  return {
    name,
    prepare: () => {
      spans = Array.from({ length: SPANS }, (_, index) => {
        const span = tracer.startSpan('span', { attributes: attributesOf(index) })
        return index % 50 === 0 ? span.setStatus({ code: SpanStatusCode.ERROR }) : span
      })
    },
    run: () => {
      for (const span of spans) span.end()
      return spans.length
    }
  }
}

// As in a service whose documents are cached: names and SQL are the same strings each time; sources are made anew.
const names = Array.from({ length: SERIES }, (_, index) => ({
  field: `field${index}`,
  operation: `Operation${index}`,
  sql: `SELECT id, title, body, author_id FROM issues_${index} WHERE project_id = $1 AND status = 'open' LIMIT $2`
}))

function attributesOf(index: number): Attributes {
  const { field = '', operation = '', sql = '' } = names[index % SERIES] ?? {}
  if (index % 10 < 7) {
    return {
      'graphql.field.name': field,
      'graphql.field.path': `issues.${index}.${field}`,
      'graphql.parent.name': 'Issue',
      'graphql.source': `${field}(first: *, after: $cursor) {\n    id\n    title\n  }`
    }
  }
  if (index % 10 < 9) return { 'db.system.name': 'postgresql', 'db.namespace': 'tracker', 'db.query.text': sql }
  return { 'graphql.operation.type': 'query', 'graphql.operation.name': operation, 'graphql.source': '{ a }' }
}

export async function spansScenario(): Promise<Scenario> {
  const monitor = createMonitor(resolveConfig({ NODE_ENV: 'production' }))
  await monitor.sql.ready
  return {
    title: 'What the span processor costs',
    unit: 'span',
    scale: 'µs',
    promise: '`PerformanceSpanProcessor` takes at most 1.5 µs for a span that ends',
    limit: 1.5,
    measured: 'last less first',
    note:
      `\`span.end()\` on ${SPANS} spans of the SDK a round (70% resolvers, 20% queries, 10% operations, ${SERIES} names, ` +
      'names and SQL the same strings each time). What ours adds covers `onEnding`, which redacts the SQL, and `onEnd`.',
    arms: [
      ending('span.end() with a processor that does nothing', new NoopSpanProcessor()),
      ending('span.end() with ours', new SpanAggregator(monitor))
    ]
  }
}
