import { ROOT_CONTEXT, defaultTextMapGetter, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { test } from 'tap'
import { SpanAggregator } from '../../src/spans/processor.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { breakRecording, spanSource } from './spans.js'

test('Database Integration: SQL is counted by operation and table, and for the operation that sent it', async t => {
  const { monitor, operation, query } = spanSource()
  await monitor.sql.ready
  const running = operation('IssueList')
  query('SELECT * FROM issues WHERE id = 7', running)
  query('select id\n  from public.issues where title = $1 and body = $2', running)
  query("INSERT INTO comments (body) VALUES ('hunter2')", running)
  running.end()
  operation('IssueList').end()
  query('SELECT 1')
  const { queries, operations } = monitor.snapshot({ recent: 5 })
  t.match(
    queries.map(({ name, queryType, table, count }) => [name, queryType, table, count]),
    [
      ['SELECT issues', 'SELECT', 'issues', 2],
      ['INSERT comments', 'INSERT', 'comments', 1],
      ['SELECT', 'SELECT', null, 1]
    ]
  )
  t.match(queries[0]?.recent, [{ argsCount: 2 }, { argsCount: 0 }])
  t.match(operations, [{ name: 'IssueList', operationType: 'query', count: 2, queriesPerRequest: 1.5 }])
  t.notMatch(JSON.stringify(monitor.snapshot({ recent: 32 })), 'hunter2')
  monitor.close()
})

test('spans of other instrumentations, and connection attempts, are no measurements', t => {
  const { monitor, span } = spanSource()
  span('GET /graphql', { 'http.request.method': 'GET' })
  span('pg.connect', { 'db.system.name': 'postgresql' })
  span('mysql.query', { 'db.system.name': 'mysql', 'db.query.text': 'SELECT 1' })
  span('graphql.parse', { 'graphql.source': '{ issues }' })
  span('odd', { 'graphql.field.name': 7, 'graphql.operation.type': 8, 'db.system.name': 9 })
  const { resolvers, queries, operations } = monitor.snapshot()
  t.strictSame([resolvers, queries, operations], [[], [], []])
  t.equal(monitor.faults.faults, 0)
  monitor.close()
  t.end()
})

test('a span that ends while another one is about to end counts once, and so does that one', async t => {
  const nested = { onEnding: (): void => undefined }
  const other = {
    onStart: () => undefined,
    onEnding: () => {
      nested.onEnding()
    },
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve()
  }
  const { monitor, operation, query } = spanSource({}, {}, [other])
  await monitor.sql.ready
  nested.onEnding = () => {
    nested.onEnding = () => undefined
    query('SELECT 1 FROM inner_one')
  }
  const running = operation('IssueList')
  query('SELECT 1 FROM outer_one', running)
  running.end()
  t.strictSame(
    monitor
      .snapshot()
      .queries.map(({ name, count }) => [name, count])
      .sort(),
    [
      ['SELECT inner_one', 1],
      ['SELECT outer_one', 1]
    ]
  )
  monitor.close()
})

test('anonymous operations share a series when their documents are the same but for layout', t => {
  const { monitor, operation } = spanSource()
  operation(undefined, '{ issues  { id } }').end()
  operation(undefined, '{\n  issues\n { id } }').end()
  operation(undefined, '{ projects { id } }').end()
  t.strictSame(
    monitor
      .snapshot()
      .operations.map(({ count }) => count)
      .sort(),
    [1, 2]
  )
  monitor.close()
  t.end()
})

test('Performance Impact: an aggregator that throws never reaches the application, and every fault is counted', t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, span, resolver, operation, query } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  const broken = (): never => {
    throw new Error('broken')
  }
  breakRecording(monitor)
  Object.assign(monitor.store, { recordQuery: broken, recordOperation: broken })
  t.doesNotThrow(() => {
    for (let index = 0; index < 20; index += 1) {
      resolver('Query', 'issues')
      query('SELECT 1')
      operation('IssueList').end()
    }
  })
  t.equal(monitor.faults.faults, 60)
  t.doesNotThrow(() => {
    for (let index = 0; index < 1000; index += 1) resolver('Query', 'issues')
  })
  t.strictSame(monitor.faults, { faults: 100, tripped: true }, 'off after 100 in a row')
  Object.assign(monitor.operations, { started: broken })
  Object.assign(monitor.sql, { read: broken })
  t.doesNotThrow(() => {
    span('pg.query', { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1' })
  })
  t.equal(exporter.getFinishedSpans().length, 1061, 'and the processors behind it get every span')
  monitor.close()
  t.end()
})

test('a trace id that came in a long header keeps nothing of the header', t => {
  const { monitor } = spanSource()
  const tracer = new TracerProvider({ spanProcessors: [new SpanAggregator(monitor)] }).getTracer('test')
  const propagator = new W3CTraceContextPropagator()
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const bytes = retainedBytes()
  for (let index = 0; index < 3200; index += 1) {
    const traceparent = `cc-${traceId}-b7ad6b7169203331-01-${String(index).padEnd(15_000, 'x')}`
    const remote = propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter)
    const execution = tracer.startSpan('graphql.execute', {}, remote)
    execution.setAttributes({ 'graphql.operation.type': 'query', 'graphql.operation.name': `Operation${index % 100}` })
    const within = trace.setSpan(ROOT_CONTEXT, execution)
    const attributes = { 'graphql.field.name': `field${index % 100}`, 'graphql.parent.name': 'Query' }
    tracer.startSpan('graphql.resolve', { attributes }, within).end()
    tracer.startSpan('graphql.resolve', { attributes }, remote).end()
    execution.end()
  }
  const grown = retainedBytes() - bytes
  t.ok(grown < 4 * MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
  t.match(monitor.snapshot({ recent: 1 }).operations[0]?.recent, [{ traceId }])
  monitor.close()
  t.end()
})

test('1,000,000 operation names and 100,000 SQL texts: memory, series and sums stay exact', async t => {
  const { monitor, operation, query, resolver } = spanSource()
  await monitor.sql.ready
  for (let index = 0; index < 50; index += 1) resolver('Issue', `field${index}`)
  operation('Known').end()
  query('SELECT * FROM known')
  const before = monitor.snapshot()
  const bytes = retainedBytes()
  const operations = 1_000_000
  const texts = 100_000
  for (let index = 0; index < operations; index += 1) {
    const running = operation(`Attack${index}`)
    if (index < texts) query(`SELECT c${index} FROM t${index} WHERE secret = '${index}'`, running)
    else if (index < 2 * texts) query(`SELECT c${index % 100} FROM t${index % 100} WHERE secret = ''`, running)
    running.end()
  }
  const grown = retainedBytes() - bytes
  const after = monitor.snapshot()
  t.comment(`${(grown / MEBIBYTE).toFixed(1)} MiB more`)
  t.ok(grown <= 16 * MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
  for (const [rows, sent] of [
    [after.operations, operations + 1],
    [after.queries, 2 * texts + 1],
    [after.statements, 2 * texts + 1]
  ] as const) {
    t.equal(rows.length, 2001, '2,000 series and the overflow')
    t.equal(
      rows.reduce((sum, { count }) => sum + count, 0),
      sent,
      'series and overflow add up to what was sent'
    )
  }
  t.strictSame(after.resolvers, before.resolvers)
  t.strictSame(after.operations[0], before.operations[0])
  t.strictSame(after.queries[0], before.queries[0])
  t.strictSame(after.statements[0], before.statements[0])
  const callers = after.statements.flatMap(statement => statement.callers)
  t.equal(
    callers.reduce((sum, { count }) => sum + count, 0),
    2 * texts + 1,
    'callers add up to what was sent'
  )
  monitor.close()
})

test('a long operation name is cut without falling together with another', t => {
  const { monitor, operation } = spanSource()
  operation('a'.repeat(100_000)).end()
  operation(`${'a'.repeat(100_000)}b`).end()
  const names = monitor.snapshot().operations.map(({ name }) => name)
  t.equal(names.length, 2)
  t.ok(names.every(name => name.length <= 128))
  monitor.close()
  t.end()
})
