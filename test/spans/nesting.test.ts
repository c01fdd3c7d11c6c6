import { ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api'
import { AlwaysOffSampler, createAlwaysRecordSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { test } from 'tap'
import { SpanAggregator } from '../../src/spans/processor.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { spanSource, type Source } from './spans.js'

const attributes = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM tags' }

/** Starts the span of an ORM. */
function orm({ start }: Source, within: Span): Span {
  return start('prisma:client:db_query', attributes, within)
}

/** What is known of the one operation: its statements, and the rows of all. */
function counted({ monitor }: Source): [number | undefined, number] {
  const { operations, statements } = monitor.snapshot()
  monitor.close()
  return [operations[0]?.queriesPerRequest, statements.reduce((sum, { count }) => sum + count, 0)]
}

test('a statement of an ORM counts once where a span between it and that of pg was over before pg began', t => {
  const source = spanSource()
  const running = source.operation('Between')
  const outer = orm(source, running)
  const middle = source.start('adapter', {}, outer)
  const inner = source.start('serialize', {}, middle)
  middle.end()
  inner.end()
  source.query('SELECT 1 FROM tags', inner)
  outer.end()
  // What is around that is over too.
  source.query('SELECT 1 FROM tags', inner)
  running.end()
  t.strictSame(counted(source), [2, 2])
  t.end()
})

test('a statement of an ORM counts once however deep it is, and with up to fourteen spans between', t => {
  for (const between of [0, 1, 14]) {
    for (let depth = 0; depth <= 40; depth += 1) {
      const source = spanSource()
      const running = source.operation('Deep')
      let around = running
      for (let level = 0; level < depth; level += 1) around = source.start('work', {}, around)
      const outer = orm(source, around)
      around = outer
      for (let level = 0; level < between; level += 1) around = source.start('work', {}, around)
      source.query('SELECT 1 FROM tags', around)
      outer.end()
      running.end()
      t.strictSame(counted(source), [1, 1], `${depth} around, ${between} between`)
    }
  }
  t.end()
})

test('a statement of an ORM whose span of pg never ends, as with a cursor, counts by that of the ORM', t => {
  const source = spanSource()
  const running = source.operation('Cursor')
  for (const name of ['prisma:client:db_query', 'pg.query:SELECT of an ORM']) {
    const outer = source.start(name, attributes, running)
    const middle = source.start('adapter', {}, outer)
    source.start('pg.query:SELECT tracker', attributes, middle)
    middle.end()
    outer.end()
  }
  running.end()
  t.strictSame(counted(source), [2, 2])
  t.end()
})

test('a statement that goes on when the span of its ORM is over counts once', t => {
  const source = spanSource()
  const running = source.operation('Late')
  const outer = orm(source, running)
  const inner = source.start('pg.query:SELECT tracker', attributes, outer)
  outer.end()
  inner.end()
  running.end()
  t.strictSame(counted(source), [1, 1])
  t.end()
})

test('a query whose span is renamed while it runs counts once for its operation', t => {
  const source = spanSource()
  for (const [first, then] of [
    ['pg.query:SELECT tracker', 'tags'],
    ['tags', 'pg.query:SELECT tracker']
  ] as const) {
    const running = source.operation('Renamed')
    source.start(first, attributes, running).updateName(then).end()
    running.end()
    t.equal(source.monitor.snapshot().operations[0]?.queriesPerRequest, 1)
  }
  source.monitor.close()
  t.end()
})

test('the span of an ORM that records nothing, since that of pg does, ends no row of faults', t => {
  const source = spanSource()
  const { monitor } = source
  Object.assign(monitor.store, {
    recordQuery: () => {
      throw new Error('broken')
    }
  })
  for (let index = 0; index < 100; index += 1) {
    const outer = orm(source, source.operation('Faulty'))
    source.query('SELECT 1 FROM tags', outer)
    outer.end()
  }
  t.strictSame(monitor.faults, { faults: 100, tripped: true })
  monitor.close()
  t.end()
})

test('the SQL of a span that neither counts nor leaves is not read', t => {
  const { monitor } = spanSource()
  const sampler = createAlwaysRecordSampler(new AlwaysOffSampler())
  const provider = new TracerProvider({ sampler, spanProcessors: [new SpanAggregator(monitor)] })
  const tracer = provider.getTracer('test')
  let read = 0
  const { sql } = monitor
  const original = sql.read.bind(sql)
  Object.assign(sql, {
    read: (text: string) => {
      read += 1
      return original(text)
    }
  })
  const outer = tracer.startSpan('prisma:client:db_query', { attributes }, ROOT_CONTEXT)
  tracer.startSpan('pg.query:SELECT', { attributes }, trace.setSpan(ROOT_CONTEXT, outer)).end()
  outer.end()
  t.equal(read, 1)
  t.match(monitor.snapshot().statements, [{ count: 1 }])
  monitor.configure({ enabled: false })
  tracer.startSpan('pg.query:SELECT', { attributes }, ROOT_CONTEXT).end()
  t.equal(read, 1)
  monitor.close()
  t.end()
})

for (const [kind, goOn] of [
  [
    'that are over before the next begins',
    (source: Source, last: Span) => (last.end(), source.start('work', {}, last))
  ],
  [
    'that are over when the next has begun',
    (source: Source, last: Span) => {
      const next = source.start('work', {}, last)
      last.end()
      return next
    }
  ],
  [
    'that never end around others that do',
    (source: Source, last: Span) => {
      const middle = source.start('work', {}, source.start('work', {}, last))
      middle.end()
      return middle
    }
  ]
] as const) {
  test(`spans one inside the other ${kind} do not keep one another`, t => {
    const source = spanSource()
    let last = source.start('work', {})
    const bytes = retainedBytes()
    for (let index = 0; index < 20_000; index += 1) last = goOn(source, last)
    const grown = retainedBytes() - bytes
    t.ok(grown < MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
    t.equal(typeof last.spanContext().spanId, 'string')
    source.monitor.close()
    t.end()
  })
}
