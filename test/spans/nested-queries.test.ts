import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import { SpanKind, trace, type Attributes } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { test, type Test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { usePostgres } from '../postgres.js'
import { service } from '../service.js'
import { spanSource } from './spans.js'

const schema = `
  type Query { prisma: Int  knex: Int  levels: Int  transaction: Int  named: Int  connects: Int  parallel: Int  after: Int  engine: Int
    cursor: Int }
`

const tracer = trace.getTracer('test')

/** What an ORM does whose spans are around those of pg. */
function within<Result>(name: string, attributes: Attributes, work: () => Promise<Result>): Promise<Result> {
  return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async span => {
    try {
      return await work()
    } finally {
      span.end()
    }
  })
}

/** As Prisma tells of a query. */
function prisma<Result>(text: string, work: () => Promise<Result>): Promise<Result> {
  return within('prisma:client:db_query', { 'db.system.name': 'postgresql', 'db.query.text': text }, work)
}

/** As OpenTelemetry's instrumentation of knex does. */
function knex<Result>(text: string, work: () => Promise<Result>): Promise<Result> {
  return within('select hello.tags', { 'db.system': 'postgresql', 'db.statement': text }, work)
}

/** As Prisma's own engine tells of a query when the answer is there: of one that ran so many milliseconds before `now`. */
function engineQuery(now: number, began: number, ended: number): void {
  const attributes = { 'db.system': 'postgresql', 'db.statement': 'SELECT 8 AS engine' }
  tracer.startSpan('prisma:engine:db_query', { attributes, startTime: now - began }).end(now - ended)
}

async function start(t: Test): Promise<FastifyInstance> {
  const { url } = await usePostgres(t)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const send = async (text: string): Promise<number> => (await pool.query(text)).rowCount ?? 0
  const app = await service({
    schema,
    resolvers: {
      Query: {
        prisma: () =>
          prisma("SELECT 'prisma' FROM generate_series(1, 3)", async () => {
            // What the ORM does itself is not the database's time.
            await delay(20)
            return send("SELECT 'prisma' FROM generate_series(1, 3)")
          }),
        knex: () => knex("SELECT 'knex'", () => send("SELECT 'knex'")),
        levels: () =>
          within('prisma:client:operation', { model: 'Tag' }, () =>
            prisma('SELECT 1 AS levels', () =>
              within('adapter', {}, () => knex('SELECT 1 AS levels', () => send('SELECT 1 AS levels')))
            )
          ),
        transaction: () =>
          prisma('SELECT 2 AS body', async () => {
            await send('BEGIN')
            await send('SELECT 2 AS body')
            return send('COMMIT')
          }),
        // By its name it is a query from the start on.
        named: () =>
          within(
            'pg.query:SELECT named',
            { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 3 AS named' },
            () => send('SELECT 3 AS named')
          ),
        connects: () =>
          knex('SELECT 4 AS elsewhere', async () => {
            const client = await pool.connect()
            client.release()
            return 4
          }),
        parallel: async () => {
          const one = (): Promise<number> => prisma('SELECT 5 AS parallel', () => delay(30, 5))
          await Promise.all([one(), one(), one()])
          return 5
        },
        // As instrumentation-pg does of one: its span never ends.
        cursor: () =>
          knex('SELECT 9 AS cursor', () => {
            tracer.startSpan('pg.query:SELECT', {
              attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 9 AS cursor' }
            })
            return delay(10, 9)
          }).then(() => delay(20, 9)),
        engine: () => {
          const now = Date.now()
          engineQuery(now, 60, 50)
          engineQuery(now, 50, 40)
          engineQuery(now, 55, 45)
          return delay(60, 8)
        },
        after: () =>
          knex('SELECT 6 AS first', async () => {
            await send('SELECT 6 AS first')
            return 6
          }).then(() => knex('SELECT 7 AS second', () => delay(1, 7)))
      }
    }
  })
  t.teardown(() => app.close())
  t.teardown(() => pool.end())
  return app
}

/** What is known after the resolver `field` was called once. */
async function called(app: FastifyInstance, field: string) {
  const context = {}
  await app.graphql(`query Of_${field} { ${field} }`, context)
  const { resolvers, operations, statements } = processMonitor().snapshot()
  const [resolver] = resolvers.filter(({ name }) => name === `Query.${field}`)
  const [operation] = operations.filter(({ name }) => name === `Of_${field}`)
  if (resolver === undefined || operation === undefined) throw new Error(`Query.${field} was not measured`)
  const sent = statements.filter(({ callers }) => callers.some(caller => caller.resolver === `Query.${field}`))
  return { resolver, operation, sent: sent.map(({ text, count, rows }) => [text, count, rows]), context }
}

test('a statement of an ORM whose span is around that of pg is counted once, with its rows', async t => {
  const app = await start(t)
  await processMonitor().sql.ready
  const expected = {
    prisma: [['SELECT ? FROM generate_series(?, ?)', 1, 3]],
    knex: [['SELECT ?', 1, 1]],
    levels: [['SELECT ? AS levels', 1, 1]],
    named: [['SELECT ? AS named', 1, 1]],
    transaction: [
      ['BEGIN', 1, null],
      ['SELECT ? AS body', 1, 1],
      ['COMMIT', 1, null]
    ],
    // Waiting for a connection is no statement, so that the one around it still is.
    connects: [['SELECT ? AS elsewhere', 1, null]],
    cursor: [['SELECT ? AS cursor', 1, null]],
    after: [
      ['SELECT ? AS first', 1, 1],
      ['SELECT ? AS second', 1, null]
    ]
  }
  for (const [field, statements] of Object.entries(expected)) {
    const { resolver, operation, sent, context } = await called(app, field)
    t.strictSame(sent, statements, field)
    t.equal(resolver.sqlCount, statements.length, `${field}: for its resolver`)
    t.equal(operation.queriesPerRequest, statements.length, `${field}: for its operation`)
    t.ok(resolver.sqlTime > 0 && resolver.sqlTime <= resolver.totalTime, field)
    const cost = processMonitor().costOf(context)
    t.ok(Number(cost?.sqlTime) <= Number(cost?.duration), `${field}: one after the other takes no longer than all`)
  }
  t.ok((await called(app, 'cursor')).resolver.selfTime >= 0.03, 'what comes after a cursor is no SQL')
  t.ok((await called(app, 'prisma')).resolver.selfTime >= 0.03, 'what the ORM does itself is no SQL')
  t.equal(processMonitor().faults.faults, 0)
})

test('queries side by side whose spans say only at their end what they are were waited for once', async t => {
  const { resolver, operation } = await called(await start(t), 'parallel')
  t.equal(resolver.sqlCount, 3)
  t.equal(operation.queriesPerRequest, 3)
  t.ok(resolver.sqlTime > 0.025 && resolver.sqlTime < resolver.totalTime, `${resolver.sqlTime} s`)
  t.ok(Math.abs(resolver.totalTime - resolver.sqlTime - resolver.selfTime) < 1e-6)
  t.ok(resolver.selfTime > 0, 'and it did something itself')
})

test('queries that are told of when they are long over were waited for as they ran', async t => {
  const { resolver } = await called(await start(t), 'engine')
  t.equal(resolver.sqlCount, 3)
  // Two of 10 ms, one after the other, and one beside them.
  t.ok(Math.abs(resolver.sqlTime - 0.02) < 0.003, `${resolver.sqlTime} s`)
})

test('where only spans are known a statement of an ORM is one of the operation too, and no text leaves', async t => {
  const exporter = new InMemorySpanExporter()
  const { monitor, start, operation } = spanSource({}, {}, [new SimpleSpanProcessor({ exporter })])
  await monitor.sql.ready
  const running = operation('Spans')
  const text = "SELECT 'hunter2'"
  const outer = start('prisma:client:db_query', { 'db.system.name': 'postgresql', 'db.query.text': text }, running)
  const middle = start('pg.query:SELECT', { 'db.system.name': 'postgresql', 'db.query.text': text }, outer)
  start('pg.query:SELECT', { 'db.system.name': 'postgresql', 'db.query.text': text }, middle).end()
  start('a driver below', { 'db.system': 'postgresql', 'db.statement': text }, middle).end()
  for (const span of [middle, outer]) span.end()
  start('select', { 'db.system': 'postgresql', 'db.statement': text }, running).end()
  running.end()
  const { statements, operations } = monitor.snapshot()
  t.match(statements, [{ text: 'SELECT ?', count: 2 }])
  t.match(operations, [{ name: 'Spans', queriesPerRequest: 2 }])
  const exported = exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes])
  t.equal(exported.length, 6)
  t.notMatch(JSON.stringify(exported), 'hunter2')
  monitor.close()
})

test('spans that are started one inside the other, none of which ever ends, do not keep one another', t => {
  const { monitor, start } = spanSource()
  let last = start('work', {})
  const bytes = retainedBytes()
  for (let index = 0; index < 20_000; index += 1) last = start('work', {}, last)
  const grown = retainedBytes() - bytes
  t.ok(grown < MEBIBYTE, `grew by ${(grown / MEBIBYTE).toFixed(1)} MiB`)
  t.equal(last.isRecording(), true)
  monitor.close()
  t.end()
})
