import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { detailAt } from '../../src/self/detail.js'
import { ask, service } from '../service.js'

const schema = 'type Query { items: [Item!]!  fails: String }  type Item { sync: String  async: String  inner: Item }'

function query(): void {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM tags' }
  trace.getTracer('test').startSpan('pg.query:SELECT test', { attributes }).end()
}

const resolvers = {
  Query: {
    items: () => Array.from({ length: 10 }, () => ({})),
    fails: async () => {
      await delay(1)
      throw new Error('as always')
    }
  },
  Item: {
    sync: () => 'sync',
    inner: () => ({}),
    async: async () => {
      // Before it waits, too: of that it would be known which call has sent it.
      query()
      await delay(1)
      query()
      return 'async'
    }
  }
}

function counts(): Record<string, [number, number, number]> {
  const rows = processMonitor().snapshot({ include: ['resolvers'] }).resolvers
  return Object.fromEntries(rows.map(({ name, count, errorCount, sqlCount }) => [name, [count, errorCount, sqlCount]]))
}

/** Measures as the budget would have it, from level 0 (everything) on. */
async function measuredAt(level: number, app: FastifyInstance, work: () => Promise<unknown>): Promise<void> {
  Object.defineProperty(processMonitor(), 'detail', { value: detailAt(level), configurable: true })
  try {
    await work()
  } finally {
    Reflect.deleteProperty(processMonitor(), 'detail')
    await app.ready()
  }
}

for (const jit of [0, 1]) {
  test(`while less is measured, every call and every failure is still counted; jit: ${jit}`, async t => {
    processMonitor().foundSqlClient()
    const app = await service({ schema, resolvers, jit })
    t.teardown(() => app.close())
    for (const level of [0, 1, 2, 4]) {
      const before = counts()
      await measuredAt(level, app, () =>
        Promise.all(
          Array.from({ length: 20 }, () => ask(app, `query Level${level}Jit${jit} { items { sync async } fails }`))
        )
      )
      const grown = Object.entries(counts()).map(([name, [count, errors]]) => {
        const [countBefore = 0, errorsBefore = 0] = before[name] ?? []
        return [name, count - countBefore, errors - errorsBefore]
      })
      t.strictSame(grown.sort(), [
        ['Item.async', 200, 0],
        ['Item.sync', 200, 0],
        ['Query.fails', 20, 20],
        ['Query.items', 20, 0]
      ])
      const name = `Level${level}Jit${jit}`
      const { operations } = processMonitor().snapshot({ include: ['operations'], name })
      t.match(operations, [{ count: 20, sqlPerRequest: { min: 20, max: 20 } }], 'SQL is told from that of others')
      const sql = (counts()['Item.async']?.[2] ?? NaN) - (before['Item.async']?.[2] ?? 0)
      t.equal(sql, level === 0 ? 400 : 0, 'and from that of other resolvers only while calls have contexts')
    }
  })
}

for (const jit of [0, 1]) {
  test(`while few calls are timed, \`_performance\` tells the time of the right one or none; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit })
    t.teardown(() => app.close())
    const timing = '_performance { resolverName executionTime }'
    const told = new Map<unknown, number>()
    const tell = (of: string, performance: { readonly resolverName: unknown } | null): void => {
      const key = `${of}: ${String(performance?.resolverName)}`
      told.set(key, (told.get(key) ?? 0) + 1)
    }
    await measuredAt(2, app, async () => {
      for (let round = 0; round < 20; round += 1) {
        const { data } = await ask(app, `{ items { sync inner { async ${timing} } ${timing} } }`)
        const { items } = data as { items: { _performance: never; inner: { _performance: never } }[] }
        for (const { _performance, inner } of items) {
          tell('items', _performance)
          tell('inner', inner._performance)
        }
      }
    })
    const expected = ['inner: Item.inner', 'inner: undefined', 'items: Query.items', 'items: undefined']
    t.strictSame([...told.keys()].sort(), expected)
    t.ok(
      Number(told.get('inner: Item.inner')) < 180,
      `of 200 calls ${told.get('inner: Item.inner')} are timed, by chance`
    )
  })
}

test('adaptive jit: what it has compiled is counted like the rest', async t => {
  const app = await service({ schema, resolvers, jit: { minCount: 1, eluThreshold: 1 } })
  t.teardown(() => app.close())
  const before = counts()['Item.sync']?.[0] ?? 0
  for (let round = 0; round < 20; round += 1) {
    await ask(app, 'query Adaptive { items { sync } }')
    await delay(2)
  }
  t.equal((counts()['Item.sync']?.[0] ?? 0) - before, 200)
  t.equal(processMonitor().snapshot({ name: 'Adaptive' }).operations[0]?.count, 20)
})
