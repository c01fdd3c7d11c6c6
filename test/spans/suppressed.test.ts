import { test } from 'tap'
import { runNode } from '../node.js'
import { exportTo, startReceiver } from '../otlp.js'
import { usePostgres } from '../postgres.js'

const given = (body: string): string[] => [
  '--import',
  'mercurius-performance/register',
  '--input-type=module',
  '-e',
  `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  import pg from 'pg'
  import { context } from '@opentelemetry/api'
  import { suppressTracing } from '@opentelemetry/core'
  const app = Fastify()
  ${body}
  await app.close()
  process.exit(0)`
]

test('an operation that fails where tracing is suppressed is not exported, and counts', async t => {
  for (const jit of [0, 1]) {
    const received = await startReceiver(t)
    const { code, stdout, stderr } = await runNode(
      given(`
        const fails = () => { throw new Error('as always') }
        await app.register(mercurius, { jit: ${jit}, schema: 'type Query { fails: String }', resolvers: { Query: { fails } } })
        await app.register(mercuriusPerformance)
        await app.ready()
        const ask = name => app.graphql('query ' + name + ' { fails }')
        // Compiled from the second time on.
        for (let round = 0; round < 3; round += 1) {
          await context.with(suppressTracing(context.active()), () => ask('Hidden'))
          await ask('Seen')
        }
        const { operations } = app.performance.snapshot()
        console.log(JSON.stringify(operations.map(({ name, errorCount }) => [name, errorCount]).sort()))`),
      { ...exportTo(received), OTEL_TRACES_SAMPLER: 'always_off' }
    )
    t.strictSame([code, stderr], [0, ''])
    t.strictSame(JSON.parse(stdout), [
      ['Hidden', 3],
      ['Seen', 3]
    ])
    const exported = received.spans.map(({ name }) => name)
    t.ok(exported.includes('query Seen'), exported.join())
    t.notMatch(exported.join(), 'Hidden')
  }
})

test('the first query of a resolver that has sent none before is its own, also in a request that is not sampled', async t => {
  const postgres = await usePostgres(t)
  const received = await startReceiver(t)
  const { code, stdout, stderr } = await runNode(
    given(`
      const pool = new pg.Pool({ connectionString: process.env.TEST_DATABASE, max: 2 })
      // So that a connection waits in the pool.
      await pool.query('SELECT now()')
      let calls = 0
      const price = () => (calls += 1) <= 100 ? 'cached' : pool.query('SELECT 2 AS two').then(({ rows }) => rows[0].two)
      await app.register(mercurius, { jit: 1, schema: 'type Query { price: String }', resolvers: { Query: { price } } })
      await app.register(mercuriusPerformance)
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      const ask = () => fetch(url + '/graphql?query={price}', { headers: { connection: 'close' } }).then(r => r.text())
      for (let round = 0; round < 102; round += 1) await ask()
      const { resolvers, statements } = app.performance.snapshot()
      const callers = statements.flatMap(({ text, callers }) => text.includes('now') ? [] : callers)
      console.log(JSON.stringify([resolvers[0].sqlCount, callers.map(({ resolver, count }) => [resolver, count])]))
      await pool.end()`),
    { ...exportTo(received), OTEL_TRACES_SAMPLER: 'always_off', TEST_DATABASE: postgres.url }
  )
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(JSON.parse(stdout), [2, [['Query.price', 2]]])
})
