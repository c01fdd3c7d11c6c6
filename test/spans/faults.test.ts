import '../environment.js'
import 'mercurius-performance/register'
import { buildSchema } from 'graphql'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { processMonitor } from '../../dist/process-monitor.js'
import { engines, requestOf, resolveWith } from './pass-through/engines.js'

for (const [engine, prepare] of engines) {
  for (const [kind, resolve] of [
    ['sync', () => 'value'],
    ['async', async () => Promise.resolve('value')]
  ] as const) {
    test(`${engine}: a monitor that faults at every measurement changes no answer of an operation that is ${kind}`, async t => {
      const { store, faults } = processMonitor()
      const schema = buildSchema('type Query { field: String }')
      resolveWith(schema, 'Query', 'field', resolve)
      const unhandled: unknown[] = []
      const note = (reason: unknown): number => unhandled.push(reason)
      process.prependListener('unhandledRejection', note)
      const fault = (): never => {
        throw new Error('a fault of the monitor')
      }
      const faulty = () => ({ write: fault })
      Object.assign(store, { callWriter: faulty, operationWriter: faulty })
      const operation = prepare(schema, requestOf('query Faulty { field }'))
      try {
        const answer = await Promise.resolve()
          .then(() => operation(undefined, {}))
          .catch(String)
        t.same(answer, { data: { field: 'value' } })
        await turn()
        t.strictSame(unhandled, [], 'nothing is left that would end the process')
        t.equal(processMonitor().faults.faults - faults.faults, 2, 'each fault is counted')
      } finally {
        Reflect.deleteProperty(store, 'callWriter')
        Reflect.deleteProperty(store, 'operationWriter')
        process.off('unhandledRejection', note)
      }
    })
  }
}
