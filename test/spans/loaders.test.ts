import '../preload.js'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { ask, service } from '../service.js'

const schema = `
  type Query { items(count: Int!): [Item!]! }
  type Item { id: ID!  loaded: String  capped: String  failing: String }
`

const batches: number[] = []

const resolvers = {
  Query: { items: (_: unknown, { count }: { count: number }) => Array.from({ length: count }, (_item, id) => ({ id })) }
}

const loaders = {
  Item: {
    loaded: async (queries: unknown[]) => {
      batches.push(queries.length)
      return Promise.resolve(queries.map(() => 'loaded'))
    },
    capped: {
      loader: async (queries: unknown[]) => Promise.resolve(queries.map(() => 'capped')),
      opts: { maxBatchSize: 4 }
    },
    failing: async () => Promise.reject(new Error('no batch today'))
  }
}

function start(jit: number): Promise<FastifyInstance> {
  return service({ schema, resolvers, loaders, jit } as never)
}

for (const jit of [0, 1]) {
  test(`each batch of a loader is counted with its size, beside the field's own calls; jit: ${jit}`, async t => {
    const app = await start(jit)
    t.teardown(() => app.close())
    const before = new Map(batchesByName())
    batches.length = 0
    for (let round = 0; round < 3; round += 1) await ask(app, '{ items(count: 10) { loaded capped failing } }')
    t.strictSame(batches, [10, 10, 10])
    const grown = [...batchesByName()].map(([name, [count, errors, sum]]) => {
      const [countBefore, errorsBefore, sumBefore] = before.get(name) ?? [0, 0, 0]
      return [name, count - countBefore, errors - errorsBefore, sum - sumBefore]
    })
    t.strictSame(grown.sort(), [
      ['Item.capped', 9, 0, 30],
      ['Item.failing', 3, 3, 30],
      ['Item.loaded', 3, 0, 30]
    ])
  })
}

/** Batches, failed ones and objects asked for, by field. */
function batchesByName(): Map<string, [number, number, number]> {
  const { resolvers: rows } = processMonitor().snapshot({ include: ['resolvers'] })
  return new Map(
    rows.flatMap(({ name, batches: seen }) =>
      seen === null ? [] : [[name, [seen.count, seen.errorCount, Math.round(seen.size.avg * seen.count)]]]
    )
  )
}
