import { ascribed, monitor, type Ascribed } from './attribution/recorder.js'
import Fastify from 'fastify'
import mercurius, { type MercuriusOptions } from 'mercurius'
import mercuriusPerformance from 'mercurius-performance'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test, type Test } from 'tap'
import { startEmbeddedPostgres } from '../../dist/database/embedded.js'
import { startPeer } from '../peer.js'
import { startPostgres } from '../postgres.js'
import type { Load, Report } from './attribution/service.js'
import { senderOf, sent, signed } from './attribution/sender.js'

type Execute = (query: string, context?: Record<string, unknown>) => Promise<unknown>

async function serve(t: Test, options: MercuriusOptions): Promise<Execute> {
  const app = Fastify()
  await app.register(mercurius, options)
  await app.register(mercuriusPerformance, { monitor })
  await app.ready()
  t.teardown(() => app.close())
  return (query, context = {}) => app.graphql(query, context)
}

/** What has been ascribed wrongly, once everything that was sent has been seen. */
async function wrong(t: Test): Promise<readonly Ascribed[]> {
  for (let wait = 0; wait < 100 && ascribed.length < sent.length; wait += 1) await delay(20)
  t.equal(ascribed.length, sent.length, 'all were seen')
  sent.length = 0
  return ascribed
    .splice(0)
    .filter(({ text, resolver, operation }) => !text.endsWith(`/* ${resolver ?? 'none'} in ${operation ?? 'none'} */`))
}

test('SQL is ascribed to the resolver that sent it', async t => {
  const database = (await startPostgres()) ?? (await startEmbeddedPostgres())
  t.teardown(() => database.close())
  const pool = new pg.Pool({ connectionString: database.url, max: 4 })
  t.teardown(() => pool.end())

  for (const jit of [0, 1]) {
    const engine = jit === 0 ? 'graphql-js' : 'graphql-jit'

    t.test(`where it does not wait for it, however often (${engine})`, async t => {
      const execute = await serve(t, {
        schema: 'type Query { touched: String }',
        resolvers: {
          Query: {
            touched: (_source, _args, _context, info) => {
              pool.query(signed('SELECT 1', senderOf(info))).catch(() => undefined)
              return 'at once'
            }
          }
        },
        jit
      })
      for (let call = 0; call < 50; call += 1) await execute(`query Touching${call % 7} { touched }`)
      t.strictSame((await wrong(t)).slice(0, 1), [], 'none is ascribed to another')
    })

    t.test(`where it has answered from a cache for long (${engine})`, async t => {
      let calls = 0
      const execute = await serve(t, {
        schema: 'type Query { cached: String }',
        resolvers: {
          Query: {
            cached: (_source, _args, _context, info) => {
              calls += 1
              if (calls <= 40) return 'from the cache'
              return pool.query(signed('SELECT 1', senderOf(info))).then(() => 'loaded')
            }
          }
        },
        jit
      })
      for (let call = 0; call < 50; call += 1) await execute('query Caching { cached }')
      t.strictSame(await wrong(t), [], 'none is ascribed to another')
    })

    t.test(`where it executes another operation with its own context (${engine})`, async t => {
      const execute: Execute = await serve(t, {
        schema: 'type Query { outer: Outer  inner: String } type Outer { after: String }',
        resolvers: {
          Query: {
            outer: async (_source, _args, context) => {
              await execute('query Inner { inner }', context as unknown as Record<string, unknown>)
              return {}
            },
            inner: async (_source, _args, _context, info) => {
              await pool.query(signed('SELECT 1', senderOf(info)))
              return 'inner'
            }
          },
          Outer: {
            after: async (_source: unknown, _args: unknown, _context: unknown, info) => {
              await pool.query(signed('SELECT 1', senderOf(info)))
              return 'after'
            }
          }
        },
        jit
      })
      for (let call = 0; call < 5; call += 1) await execute('query Outer { outer { after } }')
      t.strictSame((await wrong(t)).slice(0, 1), [], 'none is ascribed to another')
    })

    t.test(`where operations at the same time share one context (${engine})`, async t => {
      const execute = await serve(t, {
        schema: 'type Query { one: One } type One { two: String }',
        resolvers: {
          Query: {
            one: async (_source, _args, _context, info) => {
              await pool.query(signed('SELECT 1', senderOf(info)))
              return {}
            }
          },
          One: {
            two: async (_source: unknown, _args: unknown, _context: unknown, info) => {
              await pool.query(signed('SELECT 1', senderOf(info)))
              return 'two'
            }
          }
        },
        jit
      })
      const services = {}
      for (let call = 0; call < 5; call += 1) {
        await Promise.all(['A', 'B', 'C'].map(name => execute(`query ${name} { one { two } }`, services)))
      }
      t.strictSame((await wrong(t)).slice(0, 1), [], 'none is ascribed to another')
    })

    t.test(`and to none where none sent it, though it waits for a connection of theirs (${engine})`, async t => {
      const single = new pg.Pool({ connectionString: database.url, max: 1 })
      t.teardown(() => single.end())
      const execute = await serve(t, {
        schema: 'type Query { slow: String }',
        resolvers: {
          Query: {
            slow: async (_source, _args, _context, info) => {
              await single.query(signed('SELECT pg_sleep(0.01)', senderOf(info)))
              return 'slow'
            }
          }
        },
        jit
      })
      for (let call = 0; call < 5; call += 1) {
        const answer = execute('query Slow { slow }')
        await delay(1)
        await single.query(signed('SELECT 2', { resolver: 'none', operation: 'none' }))
        await answer
      }
      t.strictSame((await wrong(t)).slice(0, 1), [], 'none is ascribed to another')
    })
  }
})

for (const JIT of ['0', '1']) {
  test(`an SDK without OpenTelemetry's GraphQL instrumentation loses no SQL (jit: ${JIT})`, async t => {
    const database = (await startPostgres()) ?? (await startEmbeddedPostgres())
    t.teardown(() => database.close())
    const service = await startPeer(t, new URL('./attribution/service.ts', import.meta.url), {
      environment: { DATABASE_URL: database.url, JIT, ARM: 'resolvers only' }
    })
    const load: Load = { operations: ['query Loaded { direct awaited }'], requests: 10, inFlight: 2 }
    const { sent, seen, wrong } = await service.ask<Report>(load)
    t.equal(seen, sent)
    t.strictSame(wrong, [])
  })
}
