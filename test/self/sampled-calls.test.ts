import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { buildSchema, parse } from 'graphql'
import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { createMonitor } from '../../src/monitor.js'
import { detailAt } from '../../src/self/detail.js'
import { Documents } from '../../src/spans/resolvers/document.js'
import { Execution } from '../../src/spans/resolvers/execution.js'
import { MeasuredField, type Field } from '../../src/spans/resolvers/field.js'

const READING = 35
const CALLS = 51_200

for (const [level, nanoseconds] of [
  [0, 2 * READING],
  [7, 0]
] as const) {
  test(`one call in 256 is metered, whether it is timed or only counted; level ${level}`, t => {
    // Nothing takes time but reading the clock, which a call that is only counted does not do.
    let now = 1e15
    const clock = { monotonic: () => (now += READING), wall: () => 0 }
    const monitor = createMonitor(resolveConfig({}, { logAllMetrics: false }), { clock })
    t.teardown(() => {
      monitor.close()
    })
    Object.defineProperty(monitor, 'detail', { value: detailAt(level) })
    const definition = buildSchema('type Query { field: String }').getQueryType()?.getFields().field
    const facts = new Documents((name, type) => monitor.operationWriter(name, type)).factsOf(
      parse('{ field }'),
      undefined
    )
    if (definition === undefined || facts === undefined) throw new Error('the schema and the document have a field')
    const options = { isExporting: false, entersDirectly: true }
    const execution = new Execution(facts, options, ROOT_CONTEXT)
    const field = new MeasuredField('Query.field', 'Query', definition as Field, monitor, trace.getTracer('test'))
    for (let index = 0; index < CALLS; index += 1) {
      const call = field.begin(execution, {})
      field.operations.call = undefined
      field.returned(call, 'value', true)
    }

    const { calls } = monitor.meter
    t.equal(calls.begun, CALLS)
    t.ok(calls.timed > CALLS / 512 && calls.timed < CALLS / 128, `${calls.timed} of ${CALLS}`)
    t.equal(calls.nanoseconds, nanoseconds)
    t.match(monitor.snapshot().resolvers, [{ name: 'Query.field', count: CALLS }])
    t.equal(monitor.faults.faults, 0)
    t.end()
  })
}
