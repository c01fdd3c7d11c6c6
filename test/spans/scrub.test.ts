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
  const source = '{ login(password: "hunter2") } # hunter2'
  start('query', { 'graphql.operation.type': 'query', 'graphql.source': source }).end()
  start('graphql.parse', { 'graphql.source': source }).end()
  const [first, second, third, fourth, fifth] = exporter.getFinishedSpans()
  const said = [first, second, third, fourth, fifth].map(span => [span?.attributes, span?.events, span?.status])
  t.notMatch(JSON.stringify(said), 'hunter2')
  t.match(first?.events[0]?.attributes, { 'exception.type': 'Error' })
  t.strictSame(second?.status, { code: SpanStatusCode.ERROR, message: '23505' }, 'the SQLSTATE stays')
  t.equal(third?.attributes['url.full'], 'http://localhost/')
  t.equal(fourth?.attributes['graphql.source'], '', 'nobody knows whose text that is')
  t.equal(fifth?.attributes['graphql.source'], '')
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

test('a number that an error of the application names stays here, whatever stands around it', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const wordings = ['wrong one-time code (code: 48213)', "PostgreSQL error of type 'error' occurred (code: 48213)"]
  for (const [name, attributes, words] of [
    ['log in', {}, wordings],
    // An application may time what it asks of its database by itself.
    ['store the session', { 'db.system.name': 'postgresql' }, wordings.slice(0, 1)]
  ] as const) {
    for (const word of words) {
      const span = start(name, attributes)
      span.recordException(new Error(word))
      span.setStatus({ code: SpanStatusCode.ERROR, message: word })
      span.end()
    }
  }
  const exported = exporter.getFinishedSpans()
  t.equal(exported.length, 3)
  t.notMatch(JSON.stringify(exported.map(({ events, status }) => [events, status])), '48213')
  t.ok(exported.every(({ status }) => status.code === SpanStatusCode.ERROR))
  monitor.close()
  t.end()
})

test('the SQLSTATE of a connection that was refused stays', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  for (const name of ['pg.connect', 'pg-pool.connect']) {
    const connecting = start(name, { 'db.system.name': 'postgresql' })
    connecting.recordException("PostgreSQL error of type 'error' occurred (code: 28P01)")
    connecting.setStatus({ code: SpanStatusCode.ERROR, message: 'password authentication failed for user "hunter2"' })
    connecting.end()
  }
  t.strictSame(
    exporter.getFinishedSpans().map(({ status }) => status),
    Array(2).fill({ code: SpanStatusCode.ERROR, message: '28P01' })
  )
  monitor.close()
  t.end()
})

test('what an event or a link says is cleaned and cut like what the span says', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const long = 'x'.repeat(5000)
  const said = {
    'db.statement': "SELECT 'hunter2'",
    'db.query.text': "SELECT 'hunter2'",
    'url.full': 'http://localhost/?token=hunter2',
    'url.query': 'token=hunter2',
    'graphql.operation.type': 'query',
    'graphql.source': '{ login(password: "hunter2") }',
    'exception.message': 'hunter2 is taken',
    'exception.stacktrace': 'Error: hunter2 is taken',
    attempt: 2,
    long
  }
  const expected = {
    'db.statement': '?',
    'db.query.text': '?',
    'url.full': 'http://localhost/',
    'url.query': '?',
    'graphql.operation.type': 'query',
    'graphql.source': '',
    'exception.message': '',
    'exception.stacktrace': '',
    attempt: 2,
    long: 'x'.repeat(1024)
  }
  const given = { ...said }
  const context = start('before', {}).spanContext()
  const span = start('pg.query:SELECT tracker', { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1' })
  span.addEvent(long, given).addEvent('retried').addLink({ context, attributes: given }).addLink({ context })
  span.end()
  const [exported] = exporter.getFinishedSpans()
  t.match(exported?.events, [{ name: 'x'.repeat(1024), attributes: expected }, { name: 'retried' }])
  t.strictSame(exported?.links, [{ context, attributes: expected }, { context }])
  t.equal(exported?.events[0]?.name.length, 1024)
  t.strictSame(given, said, 'what the application handed over is its own')
  monitor.close()
  t.end()
})

test('an error text that stands on the span itself, and the addresses in a list of them, are cleaned too', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, span } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  span('call', {
    'exception.message': 'hunter2 is taken',
    'error.message': 'hunter2 is taken',
    'url.full': ['http://a/?token=hunter2', 'http://b/#token=hunter2'],
    'url.path': '/path?token=hunter2',
    'http.error_message': 'hunter2 is taken',
    'http.status_text': 'hunter2',
    'http.target': '/path#token=hunter2'
  })
  t.strictSame(exporter.getFinishedSpans()[0]?.attributes, {
    'exception.message': '',
    'error.message': '',
    'url.full': ['http://a/', 'http://b/'],
    'url.path': '/path',
    'http.error_message': '',
    'http.status_text': '',
    'http.target': '/path'
  })
  monitor.close()
  t.end()
})
