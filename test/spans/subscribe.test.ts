import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { parse, subscribe, type ExecutionResult } from 'graphql'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { service } from '../service.js'

const schema = `
  type Query { hello: String }
  type Subscription { counted(to: Int!): Int  refused: Int  broken: Int }
`

const resolvers = {
  Query: { hello: () => 'hello' },
  Subscription: {
    counted: {
      subscribe: async function* (_: unknown, { to }: { to: number }) {
        trace
          .getTracer('test')
          .startSpan('pg.query:LISTEN test', {
            attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM feeds' }
          })
          .end()
        for (let at = 1; at <= to; at += 1) {
          await delay(1)
          yield { at }
        }
      },
      resolve: ({ at }: { at: number }) => at
    },
    refused: {
      subscribe: async () => {
        await delay(1)
        throw new Error('not for you')
      }
    },
    broken: { subscribe: () => 'no stream' }
  }
}

function rows(): Map<string, [number, number]> {
  const { resolvers: found } = processMonitor().snapshot({ include: ['resolvers'] })
  return new Map(found.map(({ name, count, errorCount }) => [name, [count, errorCount]]))
}

async function drain(stream: AsyncIterable<ExecutionResult> | ExecutionResult): Promise<unknown[]> {
  const seen: unknown[] = []
  if (!(Symbol.asyncIterator in stream)) return [stream.errors?.[0]?.message]
  for await (const { data } of stream) seen.push(JSON.parse(JSON.stringify(data)))
  return seen
}

test('opening a stream, and each of its events, is counted; a refusal is an error', async t => {
  const app = await service({ schema, resolvers, subscription: true })
  t.teardown(() => app.close())
  const open = async (document: string): Promise<unknown[]> =>
    drain(await subscribe({ schema: app.graphql.schema, document: parse(document), contextValue: {} }))
  t.strictSame(await open('subscription Counted { counted(to: 3) }'), [{ counted: 1 }, { counted: 2 }, { counted: 3 }])
  const streams = await Promise.all(Array.from({ length: 50 }, () => open('subscription Counted { counted(to: 4) }')))
  t.ok(streams.every(({ length }) => length === 4))
  t.strictSame(await open('subscription Refused { refused }'), ['not for you'])
  await t.rejects(open('subscription Broken { broken }'), /Subscription field must return Async Iterable/)
  t.strictSame(
    rows(),
    new Map([
      ['Subscription.counted (subscribe)', [51, 0]],
      ['Subscription.counted', [3 + 200, 0]],
      ['Subscription.refused (subscribe)', [1, 1]],
      ['Subscription.broken (subscribe)', [1, 0]]
    ])
  )
  const [operation] = processMonitor().snapshot({ include: ['operations'], name: 'Counted' }).operations
  t.equal(operation?.count, 203, 'each event is an execution')
})

test('arguments that graphql-js refuses are refused as without us', async t => {
  const app = await service({ schema, resolvers, subscription: true })
  t.teardown(() => app.close())
  const document = parse('subscription { counted(to: 2) }')
  const positional = [app.graphql.schema, document, {}, {}]
  for (const refused of [positional, [{}], [{ schema: app.graphql.schema }], [{ schema: {}, document }]]) {
    const [ours, theirs] = await Promise.all(
      [subscribe, original(subscribe)].map(async open => {
        try {
          return await (open as (...given: unknown[]) => Promise<unknown>)(...refused)
        } catch (error) {
          return (error as Error).message
        }
      })
    )
    t.type(theirs, 'string')
    t.equal(ours, theirs)
  }
})

function original(patched: object): unknown {
  return (patched as Record<symbol, unknown>)[Symbol.for('mercurius-performance.original')]
}
