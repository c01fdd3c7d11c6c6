import { SpanStatusCode } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { test } from 'tap'
import { spanSource } from './spans.js'

test('literals leave neither in SQL text nor in error messages, also while measuring is off', t => {
  for (const enabled of [true, false]) {
    const exporter = new InMemorySpanExporter()
    const { monitor, span } = spanSource({ enabled }, {}, [new SimpleSpanProcessor({ exporter })])
    span(
      'pg.query:SELECT tracker',
      { 'db.system.name': 'postgresql', 'db.query.text': "SELECT * FROM users WHERE password = 'hunter2' -- hunter2" },
      { failed: true }
    )
    span('pg.query:SELECT tracker', { 'db.system': 'postgresql', 'db.statement': "SELECT 'hunter2'" })
    const exported = exporter.getFinishedSpans()
    t.equal(exported.length, 2)
    t.equal(exported[0]?.attributes['db.query.text'], 'SELECT * FROM users WHERE password = ?')
    t.equal(exported[1]?.attributes['db.statement'], 'SELECT ?')
    t.notMatch(JSON.stringify(exported.map(({ attributes, status }) => [attributes, status])), 'hunter2')
    monitor.close()
  }
  t.end()
})

test('error texts, URLs and long values leave no more than what says where it failed', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const resolver = start('graphql.resolve user', { 'graphql.field.name': 'user', 'graphql.parent.name': 'Query' })
  resolver.recordException(new Error('Key (email)=(hunter2) already exists'))
  resolver.setStatus({ code: SpanStatusCode.ERROR, message: 'Key (email)=(hunter2) already exists' })
  resolver.end()
  const sql = "SELECT 'hunter2'"
  const query = start('pg.query', { 'db.system.name': 'postgresql', 'db.query.text': sql, 'db.statement': sql })
  query.recordException("PostgreSQL error of type 'error' occurred (code: 23505)")
  query.setStatus({ code: SpanStatusCode.ERROR, message: 'duplicate key: hunter2' })
  query.end()
  start('GET', {
    'url.query': 'query={login(password:"hunter2")}',
    'url.full': 'http://localhost/?token=hunter2'
  }).end()
  const source = 'x'.repeat(5000)
  start('query', { 'graphql.operation.type': 'query', 'graphql.source': source }).end()
  start('graphql.parse', { 'graphql.source': source }).end()
  const [first, second, third, fourth, fifth] = exporter.getFinishedSpans()
  const said = [first, second, third].map(span => [span?.attributes, span?.events, span?.status])
  t.notMatch(JSON.stringify(said), 'hunter2')
  t.match(first?.events[0]?.attributes, { 'exception.type': 'Error' })
  t.strictSame(second?.status, { code: SpanStatusCode.ERROR, message: '23505' }, 'the SQLSTATE stays')
  t.equal(third?.attributes['url.full'], 'http://localhost/')
  t.equal(String(fourth?.attributes['graphql.source']).length, 1024)
  t.equal(fifth?.attributes['graphql.source'], '', 'there the comments of a document would be in it')
  monitor.close()
  t.end()
})

test('SQL whose redaction fails leaves without its text', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, query } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  Object.assign(monitor.sql, {
    read: () => {
      throw new Error('broken')
    }
  })
  query("SELECT 'hunter2'")
  t.equal(exporter.getFinishedSpans()[0]?.attributes['db.query.text'], '?')
  monitor.close()
  t.end()
})

test('whatever an attribute says is cut at 1,024 characters before it leaves, and a list of texts one by one', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, span } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const long = 'x'.repeat(5000)
  span('anything', {
    long,
    list: [long, 'short'],
    numbers: [1, 2],
    short: 'short',
    'http.url': `http://a/${long}?${long}`
  })
  const attributes = exporter.getFinishedSpans()[0]?.attributes
  t.strictSame(attributes, {
    long: 'x'.repeat(1024),
    list: ['x'.repeat(1024), 'short'],
    numbers: [1, 2],
    short: 'short',
    'http.url': `http://a/${long}`.slice(0, 1024)
  })
  monitor.close()
  t.end()
})
