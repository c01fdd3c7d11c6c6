import '../environment.js'
import { test } from 'tap'
import { ask, service } from '../service.js'
import { spanSource } from '../spans/spans.js'

interface Statement {
  readonly name: string
  readonly fingerprint: string
  readonly text: string
  readonly rows: number | null
  readonly count: number
  readonly recent: readonly { readonly argsCount: number }[]
  readonly callers: readonly Record<string, unknown>[]
}

interface Metrics {
  readonly _performanceMetrics: { readonly statements: readonly Statement[] }
}

const fields = `name fingerprint text queryType table rows count recent(limit: 5) { argsCount }
  callers(limit: 33) { resolver operation count errorCount totalTime rows }`

test('GraphQL Integration: statements are selected by name and fingerprint, ordered, limited, with their callers', async t => {
  const { monitor, operation, query } = spanSource()
  await monitor.sql.ready
  const app = await service({ schema: 'type Query { hello: String }' }, { monitor })
  t.teardown(() => app.close())
  for (let index = 0; index < 40; index += 1) {
    const running = operation(`Operation${index}`)
    query('SELECT id FROM issues WHERE id = $1', running)
    running.end()
  }
  const anonymous = operation(undefined, '{ issues { id } }')
  query("SELECT title FROM issues WHERE title = 'hunter2'", anonymous)
  query("SELECT title FROM issues WHERE title = 'other'", anonymous)
  query('SELECT name FROM users')

  const statements = async (given: string): Promise<readonly Statement[]> => {
    const { data } = await ask<Metrics>(app, `{ _performanceMetrics { statements${given} { ${fields} } } }`)
    return data._performanceMetrics.statements
  }
  const all = await statements('(orderBy: COUNT)')
  t.match(all, [
    { name: 'SELECT issues', text: 'SELECT id FROM issues WHERE id = $1', count: 40, rows: null },
    { name: 'SELECT issues', text: 'SELECT title FROM issues WHERE title = ?', count: 2, table: 'issues' },
    { name: 'SELECT users', text: 'SELECT name FROM users', count: 1, queryType: 'SELECT' }
  ])
  t.equal(all[0]?.callers.length, 33)
  t.ok(all[0]?.callers.some(({ operation: of, count }) => of === '(other)' && count === 8))
  const caller = { resolver: null, operation: /^anonymous [0-9a-f]{16}$/, count: 2, errorCount: 0, rows: null }
  t.match(all[1]?.callers, [caller])
  t.match(all[2]?.callers, [{ resolver: null, operation: null, count: 1 }])
  t.strictSame(
    all.map(({ recent }) => recent.length),
    [5, 2, 1],
    'each has the recent calls of its own'
  )
  t.match([all[0]?.recent[0], all[1]?.recent[0]], [{ argsCount: 1 }, { argsCount: 0 }])

  t.strictSame(await statements('(name: "SELECT users")'), [all[2]])
  t.strictSame(await statements(`(fingerprint: "${all[1]?.fingerprint}")`), [all[1]])
  t.strictSame(await statements(`(fingerprint: "${all[1]?.fingerprint}", name: "SELECT users")`), [])
  t.equal((await statements('(limit: 1)')).length, 1)

  for (const [given, message] of [
    ['statements(limit: 0) { name }', /limit is 0: expected a number from 1 to 2001/],
    ['statements(fingerprint: "") { name }', /fingerprint is a text of 0 characters: expected 1 to 200 characters/],
    ['statements { callers(limit: 34) { count } }', /limit of callers is 34: expected a number from 1 to 33/]
  ] as const) {
    const { errors } = await ask(app, `{ _performanceMetrics { ${given} } }`)
    t.match(errors?.[0], { message, extensions: { code: 'MPERF_ARGUMENT_INVALID' } })
  }
})

test('SQL per request is told as whole numbers', async t => {
  const { monitor, operation, query } = spanSource()
  const app = await service({ schema: 'type Query { hello: String }' }, { monitor })
  t.teardown(() => app.close())
  for (let sent = 0; sent <= 100; sent += 1) {
    const running = operation('List')
    for (let index = 0; index < sent; index += 1) query('SELECT 1', running)
    running.end()
  }
  const { data } = await ask<{ _performanceMetrics: { operations: unknown } }>(
    app,
    '{ _performanceMetrics { operations { queriesPerRequest sqlPerRequest { avg min median p90 p95 p99 max } } } }'
  )
  const sqlPerRequest = { avg: 50, min: 0, median: 50, p90: 90, p95: 95, p99: 99, max: 100 }
  t.strictSame(data._performanceMetrics.operations, [{ queriesPerRequest: 50, sqlPerRequest }])
})
