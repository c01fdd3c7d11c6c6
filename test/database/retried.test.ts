import { test } from 'tap'
import { runNode } from '../node.js'
import { attributesOf, exportTo, startReceiver } from '../otlp.js'
import { usePostgres } from '../postgres.js'
import { startWireProxy, through } from './wire.js'

const service = (jit: number): string => `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance, { createPool } from 'mercurius-performance'
  const pool = createPool({ connectionString: process.env.TEST_DATABASE, deadline: 30 })
  const app = Fastify()
  const schema = 'type Query { read: Int other: Int }'
  const resolvers = {
    Query: {
      read: async () => (await pool.query('SELECT 1 AS read FROM pg_database LIMIT 1')).rows[0].read,
      other: async () => (await pool.query('SELECT 2 AS other')).rows[0].other
    }
  }
  await app.register(mercurius, { schema, resolvers, jit: ${jit} })
  await app.register(mercuriusPerformance, { authorize: () => true })
  await pool.query('SELECT 3')
  const ask = async query => (await app.inject({ method: 'POST', url: '/graphql', payload: { query } })).json().data
  const answer = await ask('query Retried { read other }')
  const metrics = '{ resolvers { name sqlCount } pool { requests attempts lostAfterSending } statements { text count errorCount callers { resolver operation count } } }'
  console.log(JSON.stringify({ answer, ...(await ask('{ _performanceMetrics ' + metrics + ' }'))._performanceMetrics }))
  await app.close()
  await pool.end()`

interface Told {
  readonly answer: unknown
  readonly resolvers: readonly { readonly name: string; readonly sqlCount: number }[]
  readonly statements: readonly { readonly text: string }[]
  readonly pool: unknown
}

test(
  'a read whose connection is cut answers all the same, and its trace and numbers tell',
  { timeout: 60_000 },
  async t => {
    const postgres = await usePostgres(t)
    for (const jit of [0, 1]) {
      const receiver = await startReceiver(t)
      const proxy = await startWireProxy(t, postgres.port)
      proxy.watch('AS read', 'before its answer')
      const { code, stdout, stderr } = await runNode(
        ['--import', 'mercurius-performance/register', '--input-type=module', '-e', service(jit)],
        { ...exportTo(receiver), TEST_DATABASE: through(postgres.url, proxy), PERFORMANCE_LOG_ALL_METRICS: 'false' }
      )
      t.equal(code, 0, stderr)
      const told = JSON.parse(stdout) as Told
      t.same(told.answer, { read: 1, other: 2 })
      t.match(told.pool, { requests: 3, attempts: 4, lostAfterSending: 1 })
      const sqlCounts = Object.fromEntries(told.resolvers.map(({ name, sqlCount }) => [name, sqlCount]))
      t.same(sqlCounts, { 'Query.read': 2, 'Query.other': 1 }, 'both attempts are ascribed to the resolver')
      t.match(
        told.statements.find(({ text }) => text.includes('read')),
        { count: 2, errorCount: 1, callers: [{ resolver: 'Query.read', operation: 'Retried', count: 2 }] }
      )

      const retry = receiver.spans.find(({ name }) => name === 'database.retry')
      t.match(retry && attributesOf(retry), {
        'mercurius_performance.attempt': 2,
        'mercurius_performance.retry_cause': 'lostAfterSending'
      })
      const inside = receiver.spans.filter(({ parentSpanId }) => parentSpanId === retry?.spanId).map(({ name }) => name)
      t.ok(
        inside.some(name => name.startsWith('pg.query:SELECT')),
        `inside of it: ${inside.join()}`
      )
      const resolver = receiver.spans.find(({ spanId }) => spanId === retry?.parentSpanId)
      t.match(resolver?.name, /read/, 'it hangs on the resolver')
    }
  }
)
