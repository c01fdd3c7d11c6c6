import { ROOT_CONTEXT, SpanKind, type Attributes } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace'
import { test } from 'tap'
import { createSampler } from '../../src/spans/sampler.js'

const TRACE = 'a'.repeat(32)

function decide(sampler: string, isMeasuring: boolean, name: string, kind: SpanKind, attributes: Attributes = {}) {
  process.env.OTEL_TRACES_SAMPLER = sampler
  const made = createSampler(() => isMeasuring)
  delete process.env.OTEL_TRACES_SAMPLER
  return SamplingDecision[made.shouldSample(ROOT_CONTEXT, TRACE, name, kind, attributes, []).decision]
}

const spans: readonly [string, SpanKind, Attributes, string][] = [
  ['POST', SpanKind.SERVER, {}, 'NOT_RECORD'],
  ['graphql.parse', SpanKind.INTERNAL, {}, 'NOT_RECORD'],
  ['graphql.validate', SpanKind.INTERNAL, {}, 'NOT_RECORD'],
  ['graphql.execute', SpanKind.INTERNAL, {}, 'NOT_RECORD'],
  ['query Issues', SpanKind.INTERNAL, { 'graphql.operation.type': 'query' }, 'NOT_RECORD'],
  ['pg.query:SELECT tracker', SpanKind.CLIENT, {}, 'RECORD'],
  ['graphql.resolve Query.issues', SpanKind.INTERNAL, {}, 'RECORD'],
  ["what an application's own library calls a query", SpanKind.INTERNAL, {}, 'RECORD']
]

for (const [name, kind, attributes, unsampled] of spans) {
  test(`a span that is not sampled is recorded if it may be measured: ${name}`, t => {
    t.equal(decide('always_off', true, name, kind, attributes), unsampled)
    t.equal(decide('always_off', false, name, kind, attributes), 'NOT_RECORD', 'while measuring is off')
    t.equal(decide('always_on', true, name, kind, attributes), 'RECORD_AND_SAMPLED')
    t.end()
  })
}
