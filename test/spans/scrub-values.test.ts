import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { test } from 'tap'
import { spanSource } from './spans.js'

test('values that SQL, GraphQL or HTTP were given do not leave, on the span, an event or a link', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const secrets = {
    'db.postgresql.values': ['hunter2'],
    'db.mysql.values': ['hunter2'],
    'db.statement.parameters': '["hunter2"]',
    'db.query.parameter.0': 'hunter2',
    'db.operation.parameter.password': 'hunter2',
    'graphql.variables.password': 'hunter2',
    'graphql.variables.input': ['hunter2'],
    'http.request.header.authorization': ['Bearer hunter2'],
    'http.response.header.set-cookie': ['session=hunter2'],
    'http.request.body.content': 'hunter2',
    'rpc.grpc.request.metadata.token': ['hunter2'],
    'url.fragment': 'token=hunter2'
  }
  const harmless = {
    'db.postgresql.plan': 'find user',
    'db.query.summary': 'SELECT users',
    'http.request.method': 'GET',
    'http.request.body.size': 12,
    'http.response.status_code': 200,
    'rpc.method': 'find'
  }
  const context = start('before', {}).spanContext()
  const attributes = { ...secrets, ...harmless }
  start('call', attributes).addEvent('asked', attributes).addLink({ context, attributes }).end()
  const [exported] = exporter.getFinishedSpans()
  const expected = { ...Object.fromEntries(Object.keys(secrets).map(name => [name, '?'])), ...harmless }
  t.strictSame(exported?.attributes, expected)
  t.strictSame(exported?.events[0]?.attributes, expected)
  t.strictSame(exported?.links, [{ context, attributes: expected }])
  monitor.close()
  t.end()
})

test('a name leaves without the query of a URL, and without SQL', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const ofPostgres = { 'db.system.name': 'postgresql' }
  const sql = "INSERT INTO users (password) VALUES ('hunter2')"
  for (const [name, attributes, expected] of [
    ['GET /users?token=hunter2', {}, 'GET /users'],
    ['/users#token=hunter2', {}, '/users'],
    ['POST https://hunter.example/users?token=hunter2', {}, 'POST https://hunter.example/users'],
    ['is it /there? yes', {}, 'is it /there? yes'],
    ['GET /users/:id', {}, 'GET /users/:id'],
    [sql, { ...ofPostgres, 'db.query.text': sql }, 'INSERT'],
    [sql, { ...ofPostgres, 'db.statement': sql }, 'INSERT'],
    [sql, { ...ofPostgres, 'db.query.text': sql.slice(0, -8) }, 'INSERT'],
    [sql.slice(0, -4), { ...ofPostgres, 'db.query.text': sql }, 'INSERT'],
    [sql, { 'db.system': 'mysql', 'db.statement': sql }, 'UNKNOWN'],
    ["SELECT'hunter2'", { 'db.system': 'mysql', 'db.statement': "SELECT'hunter2'" }, 'UNKNOWN'],
    ["SELECT'hunter2'", { 'db.system': 'mysql', 'db.statement': "SELECT'hunter2', 1" }, 'UNKNOWN'],
    ['COMMIT', { 'db.system': 'mysql', 'db.statement': 'COMMIT' }, 'COMMIT'],
    ['SELECT', { 'db.system': 'mysql', 'db.statement': 'SELECT 1' }, 'SELECT'],
    ['insert users', { ...ofPostgres, 'db.query.text': sql }, 'insert users']
  ] as const) {
    start(name, attributes).addEvent('GET /users?token=hunter2').end()
    const [span] = exporter.getFinishedSpans()
    exporter.reset()
    t.equal(span?.name, expected)
    t.equal(span?.events[0]?.name, 'GET /users')
  }
  monitor.close()
  t.end()
})
