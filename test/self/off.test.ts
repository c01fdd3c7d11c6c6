import '../preload.js'
import type { FastifyInstance } from 'fastify'
import { execute, parse, subscribe } from 'graphql'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { ask, service } from '../service.js'

const schema = `
  type Query { hello: String  items: [Item!]! }
  type Item { id: Int }
  type Subscription { counted: Int }
`
const resolvers = {
  Query: { hello: () => 'hello', items: () => Array.from({ length: 500 }, () => ({})) },
  Item: { id: () => 1 },
  Subscription: {
    counted: {
      subscribe: async function* () {
        yield await Promise.resolve({ counted: 1 })
      }
    }
  }
}

interface Counts {
  readonly processed: number
  readonly dropped: number
}

async function grown(work: () => Promise<unknown>): Promise<Counts> {
  const read = (): Counts => {
    const { spansProcessed, spansDropped } = processMonitor().snapshot({ include: [] }).self
    return { processed: spansProcessed, dropped: spansDropped }
  }
  const before = read()
  await work()
  const { processed, dropped } = read()
  return { processed: processed - before.processed, dropped: dropped - before.dropped }
}

type Work = [work: () => Promise<unknown>, processed: number, dropped: number]

/** What clients do, how many spans it is while measuring is on, and how many of them are dropped while it is off. */
function worksOf(app: FastifyInstance): Work[] {
  const built = app.graphql.schema
  const open = async (): Promise<void> => {
    const document = parse('subscription { counted }')
    const stream = await subscribe({ schema: built, document, contextValue: {} })
    if (Symbol.asyncIterator in stream) await stream.return(undefined)
  }
  const unknown = async (): Promise<unknown> =>
    execute({ schema: built, document: parse('query One { hello }'), operationName: 'Another' })
  return [
    [() => ask(app, '{ items { id } }'), 1 + 1 + 500, 1],
    [() => ask(app, '{ _performanceMetrics { config { enabled } } }'), 0, 0],
    [unknown, 0, 0],
    [open, 1, 0]
  ]
}

test('while measuring is off after faults, what would be an operation is dropped once and nothing else is', async t => {
  const monitor = processMonitor()
  const apps = await Promise.all([0, 1].map(jit => service({ schema, resolvers, jit, subscription: true })))
  t.teardown(() => Promise.all(apps.map(app => app.close())))
  const works = apps.flatMap(worksOf)
  // Twice, since graphql-jit has the second of them.
  for (const [work, processed] of [...works, ...works]) {
    t.strictSame(await grown(work), { processed, dropped: 0 }, String(work))
  }
  const error = new Error('a fault of the monitor')
  while (!monitor.faults.tripped) monitor.caught(error)
  for (const [work, , dropped] of [...works, ...works]) {
    t.strictSame(await grown(work), { processed: 0, dropped }, String(work))
  }
  monitor.configure({ enabled: false })
  for (const [work] of works) t.strictSame(await grown(work), { processed: 0, dropped: 0 }, 'off on purpose')
  monitor.configure({ enabled: true })
})
