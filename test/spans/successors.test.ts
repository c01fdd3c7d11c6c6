import '../preload.js'
import { setImmediate as turn } from 'node:timers/promises'
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { graphql } from 'graphql'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { service } from '../service.js'

const schema = `
  type Query { again(left: Int!): Int  tick(left: Int!, way: String!): Int }
`

/** A query of no more than a turn. */
async function sent(): Promise<void> {
  const span = trace.getTracer('test').startSpan('pg.query:SELECT test')
  await turn()
  span.end()
}

/** What was in the context when the first round began. */
const AROUND = createContextKey('around')

/** What is in no context, so that all are asked. */
const NOWHERE = createContextKey('nowhere')

/** How many calls have to be taken off a full stack until there is room on it for `work`. */
function roomFor(work: () => unknown): number {
  let taken = 0
  let isDone = false
  const fill = (): void => {
    try {
      fill()
    } catch {
      // It is full.
    }
    if (isDone) return
    taken += 1
    try {
      work()
      isDone = true
    } catch {
      // There is not enough room yet.
    }
  }
  fill()
  return taken
}

/** How a round of work begins the next one before it is over itself. */
const ways: Record<string, (next: () => Promise<void>, left: number) => unknown> = {
  'without waiting for it': next => void next(),
  'and goes on for some rounds': async next => {
    void next()
    for (let round = 0; round < 20; round += 1) await turn()
  },
  'in a context of its own': (next, left) => void context.with(context.active().setValue(AROUND, left), next),
  'in a span of its own': next => {
    void trace.getTracer('test').startActiveSpan('round', span =>
      next().finally(() => {
        span.end()
      })
    )
  },
  'in a span that never ends': next => {
    void trace.getTracer('test').startActiveSpan('round', next)
  }
}

const resolvers = {
  Query: {
    again: (_: unknown, { left }: { left: number }, given: object) => {
      const context = given as { app: FastifyInstance; done: () => void }
      const source = `{ again(left: ${left - 1}) }`
      const next = (): unknown => graphql({ schema: context.app.graphql.schema, source, contextValue: { ...context } })
      setImmediate(left > 0 ? next : context.done)
      return left
    },
    tick: async (_: unknown, { left, way }: { left: number; way: string }, given: object) => {
      const { app, done } = given as { app: FastifyInstance; done: (error?: unknown) => void }
      await sent()
      const source = `{ tick(left: ${left - 1}, way: "${way}") }`
      const next = async (): Promise<void> => {
        const { errors } = await graphql({ schema: app.graphql.schema, source, contextValue: { ...given } })
        if (errors !== undefined) done(errors[0]?.originalError)
      }
      const active = context.active()
      const room = left === 0 ? roomFor(() => active.getValue(NOWHERE)) : 0
      if (left === 0) done({ around: active.getValue(AROUND), bytes: retainedBytes(), room })
      else await ways[way]?.(next, left)
      return left
    }
  }
}

async function start(): Promise<FastifyInstance> {
  processMonitor().foundSqlClient()
  return service({ schema, resolvers })
}

function callsOf(name: string): number {
  return processMonitor().snapshot({ include: ['resolvers'], name }).resolvers[0]?.count ?? 0
}

test('work that starts itself anew again and again does not hang on all that went before it', async t => {
  const app = await start()
  t.teardown(() => app.close())
  await new Promise<void>(done => void app.graphql('query First { again(left: 20000) }', { app, done } as never))
  t.equal(callsOf('Query.again'), 20_001)
  t.equal(processMonitor().faults.faults, 0)
})

/** What is known in the last round of work that starts itself anew. */
interface LastRound {
  readonly around?: unknown
  readonly bytes?: number
  readonly room?: number
}

/** Lets it begin so many rounds. */
function runTicks(app: FastifyInstance, left: number, way: string): Promise<LastRound> {
  return new Promise(done => {
    const first = { app, done } as never
    void context.with(ROOT_CONTEXT.setValue(AROUND, 'kept'), () =>
      app.graphql(`{ tick(left: ${left}, way: "${way}") }`, first)
    )
  })
}

for (const way of Object.keys(ways)) {
  test(`work that starts itself anew ${way} does not hang on all that went before it`, async t => {
    const app = await start()
    t.teardown(() => app.close())
    const before = callsOf('Query.tick')
    const { bytes = NaN } = await runTicks(app, 500, way)
    const last = await runTicks(app, 4000, way)
    t.equal(last.around, way === 'in a context of its own' ? 1 : 'kept')
    const grown = Number(last.bytes) - bytes
    t.ok(grown < 2 * MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
    const counted = (): number => callsOf('Query.tick') - before
    for (let wait = 0; wait < 100 && counted() < 4502; wait += 1) await turn()
    t.equal(counted(), 4502)
    t.equal(processMonitor().faults.faults, 0)
  })
}

test('work that waits for what it starts has no more on the stack the deeper it is', async t => {
  const app = await start()
  t.teardown(() => app.close())
  ways.waits = (next, left) => context.with(context.active().setValue(AROUND, left), next)
  t.teardown(() => delete ways.waits)
  // What has not run yet takes more.
  await runTicks(app, 10, 'waits')
  const { room = NaN } = await runTicks(app, 10, 'waits')
  const deep = await runTicks(app, 1000, 'waits')
  t.equal(deep.around, 1)
  t.ok(Number(deep.room) < room + 300, `${deep.room} and ${room}`)
  t.equal(processMonitor().faults.faults, 0)
})
