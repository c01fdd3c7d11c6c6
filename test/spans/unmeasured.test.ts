import { context } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { parse } from 'graphql'
import { test } from 'tap'
import { markMeasured } from '../../src/spans/operations.js'
import { ResolverCall } from '../../src/spans/resolvers/call.js'
import { Documents } from '../../src/spans/resolvers/document.js'
import { Execution } from '../../src/spans/resolvers/execution.js'
import { CallRecorder } from '../../src/spans/resolvers/recorder.js'
import { manualClock } from '../clock.js'
import { breakRecording, spanSource } from './spans.js'

test('an operation that begins while measuring is off is not counted when it ends later', t => {
  for (const isKnown of [true, false]) {
    const clock = manualClock()
    const { monitor, resolver, operation } = spanSource({}, { clock })
    const recording = breakRecording(monitor)
    for (let index = 0; index < 100; index += 1) resolver('Query', 'issues')
    recording.isBroken = false
    t.ok(monitor.faults.tripped)
    const span = operation('IssueList')
    // As the instrumentation does, which exports it all the same.
    if (isKnown) markMeasured(span)
    clock.advance(61)
    t.ok(monitor.accepts())
    span.end()
    t.equal(monitor.snapshot().operations.length, isKnown ? 0 : 1)
    monitor.close()
  }
  t.end()
})

test('SQL that a call sends late makes no row of a resolver whose calls were not counted', t => {
  for (const isMeasured of [true, false]) {
    const { monitor, start } = spanSource()
    const facts = new Documents((name, type) => monitor.operationWriter(name, type)).factsOf(
      parse('{ issues }'),
      undefined
    )
    if (facts === undefined) throw new Error('the document has an operation')
    const options = { isMeasured, isExporting: true, entersDirectly: true }
    const execution = new Execution(facts, options, context.active())
    const recorder = new CallRecorder('Query.issues', { name: 'graphql.resolve Query.issues', attributes: {} }, monitor)
    const call = new ResolverCall(execution, recorder, true)
    recorder.ended(call, false)
    const span = start('pg.query:SELECT tracker', { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1' })
    monitor.operations.started(span as unknown as ReadableSpan, call)
    t.strictSame(
      monitor.snapshot().resolvers.map(({ name, count, sqlCount }) => ({ name, count, sqlCount })),
      isMeasured ? [{ name: 'Query.issues', count: 1, sqlCount: 1 }] : []
    )
    monitor.close()
  }
  t.end()
})
