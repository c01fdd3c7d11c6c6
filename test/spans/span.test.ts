import { context, SpanStatusCode, trace, TraceFlags, type Link, type Span } from '@opentelemetry/api'
import { hrTimeToMilliseconds } from '@opentelemetry/core'
import { AlwaysOnSampler, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { test } from 'tap'
import { INSTRUMENTATION_NAME } from '../../src/spans/sample.js'
import { ResolverSpan } from '../../src/spans/resolvers/span.js'
import { erase, scrub } from '../../src/spans/scrub.js'

const ended: ReadableSpan[] = []
const processor: SpanProcessor = {
  onStart: () => undefined,
  onEnd: span => {
    ended.push(span)
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve()
}
const sdk = new NodeSDK({
  sampler: new AlwaysOnSampler(),
  spanProcessors: [processor],
  metricReaders: [],
  logRecordProcessors: [],
  instrumentations: []
})
sdk.start()
const tracer = trace.getTracer(INSTRUMENTATION_NAME, '1')

const kind = { name: 'graphql.resolve User.name', attributes: { 'graphql.field.name': 'name' } }

/** The same done to a span of the SDK's own and to one of ours, both children of one span. */
function both(use: (span: Span) => void): { readonly sdk: ReadableSpan; readonly ours: ResolverSpan } {
  ended.length = 0
  const parent = tracer.startSpan('query Users')
  const within = trace.setSpan(context.active(), parent)
  const theirs = tracer.startSpan(kind.name, { attributes: kind.attributes }, within)
  const ours = new ResolverSpan(kind, parent as Span & ReadableSpan, Date.now() - performance.now(), span => {
    processor.onEnd(span)
  })
  for (const span of [theirs, ours]) {
    use(span)
    span.end()
    span.setAttribute('too', 'late').addEvent('too late').updateName('too late')
    span.setStatus({ code: SpanStatusCode.OK })
  }
  const [first] = ended
  if (first === undefined) throw new Error('the SDK ended no span')
  return { sdk: first, ours }
}

function seen(span: ReadableSpan): object {
  const { name, kind, status, attributes, parentSpanContext, resource, instrumentationScope, ended } = span
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span
  const { traceId, traceFlags } = span.spanContext()
  return {
    ...{ name, kind, status, attributes, ended, traceId, traceFlags, parentSpanContext, resource },
    ...{ droppedAttributesCount, droppedEventsCount, droppedLinksCount },
    scope: { name: instrumentationScope.name, version: instrumentationScope.version },
    events: span.events.map(event => ({ name: event.name, attributes: event.attributes })),
    links: span.links.map(link => ({ context: link.context, attributes: link.attributes }))
  }
}

const linkTo = (n: number): Link => ({
  context: { traceId: 'a'.repeat(32), spanId: n.toString(16).padStart(16, '0'), traceFlags: TraceFlags.NONE }
})
const link = { context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.NONE } }

const uses: readonly [string, (span: Span) => void][] = [
  ['nothing', () => undefined],
  ['attributes', span => span.setAttribute('one', 1).setAttributes({ two: [true, false], three: 'three' })],
  ['an attribute that is none', span => span.setAttribute('bad', { a: 1 } as never).setAttribute('', 1)],
  ['an attribute that is taken back', span => span.setAttribute('one', 1).setAttribute('one', undefined as never)],
  ['no attributes', span => span.setAttributes(undefined as never).setAttributes(null as never)],
  ['an event of nothing', span => span.addEvent('a', null as never).addEvent('b', {}, null as never)],
  ['an event of a text', span => span.addEvent('a', 'text' as never)],
  [
    'an exception that is none',
    span => {
      for (const none of [null, undefined]) span.recordException(none as never)
    }
  ],
  ['more links than it holds', span => span.addLinks(Array.from({ length: 200 }, (_, n) => linkTo(n)))],
  ['an attribute twice', span => span.setAttribute('one', 1).setAttribute('one', 2)],
  ['more attributes than it holds', span => Array.from({ length: 200 }, (_, n) => span.setAttribute(`a${n}`, n))],
  ['an event', span => span.addEvent('waited', { for: 'the lock' }).addEvent('got it')],
  [
    'an event of another time',
    span => span.addEvent('waited', { for: 'the lock' }, new Date(1000)).addEvent('b', 1e12)
  ],
  ['more events than it holds', span => Array.from({ length: 200 }, (_, n) => span.addEvent(`event ${n}`))],
  ['links', span => span.addLink(link).addLinks([link, link])],
  ['a status', span => span.setStatus({ code: SpanStatusCode.ERROR, message: 'no' })],
  [
    'a status that stays',
    span => span.setStatus({ code: SpanStatusCode.OK }).setStatus({ code: SpanStatusCode.ERROR })
  ],
  ['no status', span => span.setStatus({ code: SpanStatusCode.UNSET, message: 'none' })],
  ['another name', span => span.updateName('another')]
]

for (const [name, use] of uses) {
  test(`the span of a resolver call says what one of the SDK says: ${name}`, t => {
    const { sdk, ours } = both(use)
    t.strictSame(seen(ours), seen(sdk))
    t.strictSame(ended, [sdk, ours])
    t.end()
  })
}

test('its times are those of the clock on the wall', async t => {
  const parent = tracer.startSpan('query Users') as Span & ReadableSpan
  const before = Date.now()
  const span = new ResolverSpan(kind, parent, Date.now() - performance.now(), () => undefined)
  await new Promise(resolve => setTimeout(resolve, 20))
  span.addEvent('now')
  span.end()
  const after = Date.now()
  const [from, event, until] = [span.startTime, span.events[0]?.time ?? [0, 0], span.endTime].map(time =>
    hrTimeToMilliseconds(time)
  ) as [number, number, number]
  t.ok(before - 1 <= from && from <= event && event <= until && until <= after + 1, `${from} ${event} ${until}`)
  t.ok(Math.abs(hrTimeToMilliseconds(span.duration) - (until - from)) < 0.01)
  t.ok(hrTimeToMilliseconds(span.duration) >= 19)
  t.ok(from >= hrTimeToMilliseconds(parent.startTime), 'not before the one it is in')
})

test('it ends when it is told that it ended', t => {
  const parent = tracer.startSpan('query Users') as Span & ReadableSpan
  const span = new ResolverSpan(kind, parent, Date.now() - performance.now(), () => undefined)
  const at = new Date(Date.now() + 5000)
  span.end(at)
  t.ok(Math.abs(hrTimeToMilliseconds(span.endTime) - at.getTime()) < 0.01)
  t.end()
})

test('its id is one of a span, another for each, and the same however often it is asked', t => {
  const parent = tracer.startSpan('query Users') as Span & ReadableSpan
  const ids = Array.from({ length: 1000 }, () => {
    const span = new ResolverSpan(kind, parent, 0, () => undefined)
    return [span.spanContext().spanId, span.spanContext().spanId] as const
  })
  t.ok(ids.every(([first, again]) => first === again))
  t.equal(new Set(ids.map(([id]) => id)).size, 1000)
  t.ok(ids.every(([id]) => /^[0-9a-f]{16}$/.test(id)))
  t.end()
})

test('what is put on one span is on no other, and no text of an error leaves', t => {
  const parent = tracer.startSpan('query Users') as Span & ReadableSpan
  const [one, other] = [0, 1].map(
    () =>
      new ResolverSpan(kind, parent, 0, span => {
        scrub(span, undefined)
      })
  )
  one?.setAttribute('db.query.text', "SELECT 'hunter2'")
  one?.addEvent('note', { 'exception.message': 'hunter2' })
  one?.recordException(Object.assign(new Error('hunter2'), { code: '23505' }))
  one?.recordException('hunter2')
  one?.setStatus({ code: SpanStatusCode.ERROR, message: 'hunter2' })
  one?.end()
  other?.end()
  t.strictSame([other?.attributes, other?.events, other?.status], [kind.attributes, [], { code: 0 }])
  t.notMatch(JSON.stringify([one?.attributes, one?.events, one?.status]), 'hunter2')
  t.equal(one?.events[1]?.attributes?.['exception.type'], '23505')
  t.equal(one?.status.code, SpanStatusCode.ERROR)
  t.end()
})

test('of what cannot be cleaned nothing is left but that there was a span', t => {
  const span = tracer.startSpan("pg.query:SELECT'hunter2'") as Span & ReadableSpan
  span.setAttribute('db.query.text', 'hunter2').addEvent('exception', { 'exception.message': 'hunter2' })
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'hunter2' })
  erase(span)
  t.notMatch(JSON.stringify([span.name, span.attributes, span.events, span.status]), 'hunter2')
  t.equal(span.status.code, SpanStatusCode.ERROR)
  t.end()
})
