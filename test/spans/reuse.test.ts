import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import type { ResolverSnapshot } from '../../src/store/snapshot.js'
import { retainedBytes } from '../heap.js'
import { ask, service } from '../service.js'

const schema = `
  type Query { items(of: String!): [Item!]! }
  type Item { sends: Int  sendsLong: Int  calls: Int  fails: Int  nests: Int  slow: String  waits: Int  sent: Int  computes: Int
    asked: Int  passes: Int  refuses: Int }
`

interface Item {
  readonly id: number
}

const query = () => {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM tags' }
  return trace.getTracer('test').startSpan('pg.query:SELECT test', { attributes })
}

/** Long enough to be told from everything else that a call takes. */
function work(): void {
  const until = performance.now() + 20
  while (performance.now() < until);
}

/** After so many calls a resolver counts as one that only computes, and its calls share an object. */
const SPECIAL = 100
let slow: (item: Item, context: object) => unknown = () => undefined
/** What the newest call of `computes` was given as context. */
let given: object = {}
let passedOn: (item: Item, context: object) => unknown = () => undefined
let sent: (item: Item, context: object) => unknown = () => undefined

const resolvers = {
  Query: { items: () => Array.from({ length: 200 }, (_, id) => ({ id })) },
  Item: {
    sends: ({ id }: Item) => {
      if (id === SPECIAL) query().end()
      return id
    },
    sendsLong: ({ id }: Item) => {
      if (id === SPECIAL) {
        const span = query()
        setTimeout(() => {
          span.end()
        }, 30)
      }
      if (id === SPECIAL + 1) work()
      return id
    },
    calls: ({ id }: Item, _: unknown, context: object) => {
      if (id === SPECIAL) void slow({ id }, context)
      if (id === SPECIAL + 1) work()
      return id
    },
    fails: ({ id }: Item) => {
      if (id % 10 === 0) throw new Error('no')
      return id
    },
    nests: ({ id }: Item, _: unknown, context: object) => {
      if (id < SPECIAL) return id
      return nested(id, context)
    },
    slow: () => delay(50, 'slow'),
    waits: async ({ id }: Item, _: unknown, context: object) => {
      if (id === SPECIAL) await sent({ id }, context)
      return id
    },
    computes: ({ id }: Item, _: unknown, context: object) => {
      given = context
      return id
    },
    refuses: () => ({
      then: () => {
        throw new Error('no')
      }
    }),
    asked: ({ id }: Item, { of }: { of?: string }) => {
      if (of === 'query') query().end()
      return id
    },
    passes: ({ id }: Item, _: unknown, context: object) => {
      passedOn({ id }, context)
      return id
    },
    sent: ({ id }: Item, { of }: { of?: string }) => {
      if (of === 'query') query().end()
      return id
    }
  }
}

let nested: (id: number, context: object) => number = id => id

const app = await service({ schema, resolvers })

type Resolve = (source: Item, args: object, context: object, info: undefined) => unknown

function resolverOf(field: string): Resolve {
  const type = app.graphql.schema.getType('Item') as unknown as { getFields(): Record<string, { resolve: Resolve }> }
  const found = type.getFields()[field]?.resolve
  if (found === undefined) throw new Error(`Item.${field} has no resolver`)
  return found
}

/** How many calls were counted. */
function count(field: string): number {
  return (
    processMonitor()
      .snapshot()
      .resolvers.find(({ name }) => name === `Item.${field}`)?.count ?? 0
  )
}

function rowOf(field: string): ResolverSnapshot {
  const row = processMonitor()
    .snapshot()
    .resolvers.find(({ name }) => name === `Item.${field}`)
  if (row === undefined) throw new Error(`Item.${field} was not measured`)
  return row
}

test('one call of many that sends a query has sent it, and no call after it', async t => {
  await ask(app, '{ items(of: "sends") { sends } }')
  t.match(rowOf('sends'), { count: 200, sqlCount: 1 })
})

test('a query that outlives the call that sent it takes no time of the next one', async t => {
  await ask(app, '{ items(of: "sendsLong") { sendsLong } }')
  await delay(50)
  const { count, sqlCount, sqlTime, selfTime } = rowOf('sendsLong')
  t.strictSame([count, sqlCount], [200, 1])
  t.ok(selfTime >= 0.02, `${selfTime} s by itself`)
  t.ok(sqlTime < 0.015, `${sqlTime} s of SQL`)
})

test('a call that outlives the call it is inside takes no time of the next one', async t => {
  slow = async (item, context) => await resolverOf('slow')(item, {}, context, undefined)
  await ask(app, '{ items(of: "calls") { calls } }')
  await delay(80)
  t.equal(rowOf('slow').count, 1)
  const { count, selfTime } = rowOf('calls')
  t.equal(count, 200)
  t.ok(selfTime >= 0.02, `${selfTime} s by itself`)
})

test('calls that throw are counted beside those that do not', async t => {
  await ask(app, '{ items(of: "fails") { fails } }')
  t.match(rowOf('fails'), { count: 200, errorCount: 20 })
})

test('a call whose thenable throws when it is asked has failed, whichever engine asks', async t => {
  const compiled = await service({ schema, resolvers, jit: 1 })
  t.teardown(() => compiled.close())
  const query = '{ items(of: "refuses") { refuses } }'
  await ask(app, query)
  t.match(rowOf('refuses'), { count: 200, errorCount: 200 })
  await ask(compiled, query)
  t.match(rowOf('refuses'), { count: 400, errorCount: 400 })
  // graphql-jit gives up the whole answer at the first one.
  await ask(compiled, query)
  t.match(rowOf('refuses'), { count: 401, errorCount: 401 })
})

test('a resolver that calls itself by hand is counted for each call', async t => {
  let depth = 0
  nested = (id, context) => {
    if (depth === 5) return id
    depth += 1
    try {
      return Number(resolverOf('nests')({ id }, {}, context, undefined))
    } finally {
      depth -= 1
    }
  }
  const { data } = await ask<{ items: { nests: number }[] }>(app, '{ items(of: "nests") { nests } }')
  t.strictSame(
    data.items.map(({ nests }) => nests),
    Array.from({ length: 200 }, (_, id) => id)
  )
  t.equal(rowOf('nests').count, SPECIAL + (200 - SPECIAL) * 6)
})

test('a query of a call that only computes so far, inside one that waits, is its own', async t => {
  sent = (item, context) => resolverOf('sent')(item, { of: 'query' }, context, undefined)
  await ask(app, '{ items(of: "sent") { sent } }')
  t.match(rowOf('sent'), { count: 200, sqlCount: 0 })
  await ask(app, '{ items(of: "waits") { waits } }')
  t.match(rowOf('sent'), { count: 201, sqlCount: 1 })
  t.match(rowOf('waits'), { count: 200, sqlCount: 0 })
})

test('so is one of a call two levels further in', async t => {
  sent = (item, context) => resolverOf('passes')(item, {}, context, undefined)
  passedOn = () => undefined
  await ask(app, '{ items(of: "both") { asked passes } }')
  passedOn = (item, context) => resolverOf('asked')(item, { of: 'query' }, context, undefined)
  await ask(app, '{ items(of: "waits") { waits } }')
  t.match(rowOf('asked'), { count: 201, sqlCount: 1 })
  t.match(rowOf('passes'), { count: 201, sqlCount: 0 })
  t.match(rowOf('waits'), { count: 400, sqlCount: 0 })
})

test('a stack that is full leaves no call behind', async t => {
  const { operations } = processMonitor()
  await ask(app, '{ items(of: "computes") { computes } }')
  const context = given
  let overflows = 0
  for (let round = 0; round < 3000; round += 1) {
    let isDone = false
    // From the bottom up, until there is just room enough for it, with another size of frame each time.
    const fill = (...frame: number[]): void => {
      try {
        fill(...frame)
      } catch {
        overflows += 1
      }
      if (isDone) return
      try {
        resolverOf('computes')({ id: frame.length }, {}, context, undefined)
        isDone = true
      } catch {
        overflows += 1
      }
    }
    fill(...Array.from({ length: round % 24 }, () => 0))
    if (operations.call !== undefined || operations.inContext) break
  }
  t.ok(overflows > 3000, `${overflows} overflows`)
  t.strictSame([operations.call, operations.inContext], [undefined, false])
})

for (const isLate of [false, true]) {
  const last = isLate ? 'of a call by hand that comes after its operation' : 'of an operation that is over'
  test(`what is kept for the next call keeps nothing ${last}`, async t => {
    const before = count('computes')
    const execute = async (): Promise<WeakRef<object>> => {
      const value = { of: 'the application' }
      const around = ROOT_CONTEXT.setValue(createContextKey('held'), value)
      await context.with(around, () => app.graphql('{ items(of: "computes") { computes } }'))
      if (isLate) resolverOf('computes')({ id: 1 }, {}, given, undefined)
      given = {}
      return new WeakRef(value)
    }
    const held = await execute()
    await delay(10)
    retainedBytes()
    t.equal(count('computes') - before, isLate ? 201 : 200)
    t.equal(held.deref(), undefined)
  })
}

test('after', t => {
  const { call, inContext } = processMonitor().operations
  t.strictSame([call, inContext], [undefined, false], 'no call is left running')
  t.equal(processMonitor().faults.faults, 0)
  t.teardown(() => app.close())
  t.end()
})
