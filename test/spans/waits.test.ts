import type { Span } from '@opentelemetry/api'
import { TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { test, type Test } from 'tap'
import { systemClock } from '../../src/lib/clock.js'
import { SpanAggregator } from '../../src/spans/processor.js'
import { ResolverCall } from '../../src/spans/resolvers/call.js'
import { Waits } from '../../src/spans/resolvers/waits.js'
import { spanSource } from './spans.js'

/** Starts spans inside a call of a resolver. */
function callOf(t: Test, processorOf: (aggregator: SpanAggregator) => SpanProcessor = aggregator => aggregator) {
  const { monitor } = spanSource()
  t.teardown(() => {
    monitor.close()
  })
  const provider = new TracerProvider({ spanProcessors: [processorOf(new SpanAggregator(monitor))] })
  const execution = { isMeasured: true, statements: 0, sqlTime: 0, trace: null, facts: { seriesName: 'Tags' } }
  const around = { ...execution, getValue: () => undefined }
  const call = new ResolverCall(around as never, { name: 'Query.tags', mayWait: () => undefined } as never, true)
  const tracer = provider.getTracer('test')
  const start = (name: string): Span =>
    tracer.startSpan(name, { attributes: { 'db.system': 'postgresql', 'db.statement': 'SELECT 1' } }, call)
  return { monitor, call, start }
}

function wait(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

test('what others took that ended while a query ran is kept when that one is taken back', t => {
  const { sql } = new Waits()
  sql.started(0)
  sql.started(0)
  sql.ended(10)
  sql.takenBack()
  t.equal(sql.until(20), 10)
  sql.started(20)
  sql.ended(25)
  t.equal(sql.until(30), 15)
  // One that nothing else ran beside leaves nothing.
  sql.started(40)
  sql.takenBack()
  t.equal(sql.until(50), 15)
  sql.found(5, 30)
  t.equal(sql.until(50), 20)
  t.end()
})

test('a query that ends while measuring is off ends for its call, also where the SDK says only afterwards', t => {
  const { monitor, call, start } = callOf(t, aggregator => ({
    onStart: (span, context) => {
      aggregator.onStart(span, context)
    },
    onEnd: span => {
      aggregator.onEnd(span)
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve()
  }))
  const query = start('pg.query:SELECT')
  wait(2)
  monitor.configure({ enabled: false })
  query.end()
  const taken = call.waits?.sql.until(systemClock.monotonic())
  wait(2)
  t.equal(call.waits?.sql.until(systemClock.monotonic()), taken)
  t.end()
})

test('a query whose span says only at its end what it is keeps its time when the clock on the wall goes forward', t => {
  const { wall } = systemClock
  t.teardown(() => Object.assign(systemClock, { wall }))
  const { call, start } = callOf(t)
  const warmUp = start('prisma:client:db_query')
  wait(5)
  warmUp.end()
  const query = start('prisma:client:db_query')
  wait(10)
  Object.assign(systemClock, { wall: () => wall() + 3_600_000 })
  query.end()
  t.equal(call.waits?.statements, 2)
  const taken = Number(call.waits?.sql.until(systemClock.monotonic()))
  t.ok(taken >= 14.5e6 && taken < 100e6, `${taken / 1e6} ms`)
  t.end()
})
