import { test } from 'tap'
import { runNode } from '../node.js'
import { exportTo, startReceiver } from '../otlp.js'
import { usePostgres } from '../postgres.js'

/** Without a space before the literal, which is where OpenTelemetry's instrumentation takes a query's name to end. */
const queries = [
  "SELECT\n\t*\nFROM\n\tpeople\nWHERE\n\temail='hunter2'",
  "VALUES('hunter2')",
  "/*hunter2*/SELECT 'hunter2'",
  "SELECT'hunter2'",
  'SELECT 1',
  'BEGIN;',
  'COMMIT'
]

const app = `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  import pg from 'pg'
  const pool = new pg.Pool({ connectionString: process.env.TEST_DATABASE, max: 1 })
  await pool.query('CREATE TABLE people (email text)')
  const app = Fastify()
  const people = async () => {
    for (const text of ${JSON.stringify(queries)}) await pool.query(text)
    await pool.query({ name: 'by-email', text: 'SELECT $1::text', values: ['hunter2'] })
    throw new Error('hunter2')
  }
  await app.register(mercurius, { jit: Number(process.env.TEST_JIT), schema: 'type Query { people: String }', resolvers: { Query: { people } } })
  await app.register(mercuriusPerformance)
  const payload = { query: 'query ' + 'N'.repeat(100_000) + ' { people }' }
  for (let turn = 0; turn < 3; turn += 1) await app.inject({ method: 'POST', url: '/graphql', payload })
  await pool.end()
  await app.close()
  process.exit(0)
`

for (const [way, environment] of [
  ['exported as sampled', {}],
  ['exported as sampled, under graphql-jit', { TEST_JIT: '1' }],
  ['exported since it failed', { OTEL_TRACES_SAMPLER: 'always_off' }]
] as const) {
  test(`no name of a span holds a literal or is longer than 1 KiB: ${way}`, { timeout: 60_000 }, async t => {
    const postgres = await usePostgres(t)
    const received = await startReceiver(t)
    const given = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app]
    const { code, stderr } = await runNode(given, {
      ...exportTo(received),
      TEST_DATABASE: postgres.url,
      TEST_JIT: '0',
      ...environment
    })
    t.strictSame([code, stderr], [0, ''])
    const database = new URL(postgres.url).pathname.slice(1)
    const names = new Set(received.spans.map(({ name }) => name).filter(name => name.startsWith('pg.query')))
    const commands = ['BEGIN', 'COMMIT', 'SELECT', 'by-email']
    names.delete(`pg.query:CREATE TABLE ${database}`)
    t.strictSame(
      [...names].sort(),
      commands.map(command => `pg.query:${command} ${database}`)
    )
    t.notMatch(received.body, /hunter2/i)
    t.strictSame(
      received.spans.filter(({ name }) => name.length > 1024),
      []
    )
  })
}

test('nor where nothing but its name is left of a query', { timeout: 60_000 }, async t => {
  const postgres = await usePostgres(t)
  const received = await startReceiver(t)
  const given = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app]
  const environment = { TEST_DATABASE: postgres.url, TEST_JIT: '0', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '1' }
  t.match(await runNode(given, { ...exportTo(received), ...environment }), { code: 0, stderr: '' })
  t.ok(received.spans.some(({ name }) => name.startsWith('pg.query:UNKNOWN')))
  t.notMatch(received.body, /hunter2/i)
})
