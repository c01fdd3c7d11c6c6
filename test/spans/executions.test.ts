import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { execute, parse, type ExecutionResult, type GraphQLResolveInfo } from 'graphql'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import type { ResolverSnapshot } from '../../src/store/snapshot.js'
import { service } from '../service.js'

const schema = `
  type Query { queries(count: Int!): Int nested(query: String!): String  direct: String  quick: Int  parallel: Int  late: Int
    lazy: String  foreign: String }
`

/** A query as @opentelemetry/instrumentation-pg reports it. */
async function query(milliseconds: number): Promise<void> {
  const span = trace.getTracer('test').startSpan('pg.query:SELECT test', {
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM tags' }
  })
  await delay(milliseconds)
  span.end()
}

let fires = 0

const resolvers = {
  Query: {
    queries: async (_: unknown, { count }: { count: number }) => {
      for (let index = 0; index < count; index += 1) await query(1)
      return count
    },
    nested: async (_: unknown, given: { query: string }, context: { app: FastifyInstance }) => {
      await context.app.graphql(given.query, context)
      return 'done'
    },
    direct: async (_: unknown, __: unknown, context: { app: FastifyInstance }, info: GraphQLResolveInfo) => {
      const { quick } = context.app.graphql.schema.getQueryType()?.getFields() ?? {}
      await quick?.resolve?.({}, {}, context, info)
      return 'done'
    },
    // Sync for 40 calls, then it sends a query and does not wait for it.
    quick: () => {
      fires += 1
      if (fires > 40) void query(1)
      return fires
    },
    parallel: async () => {
      await Promise.all([query(30), query(30), query(30)])
      return 3
    },
    // As query builders do: the query is sent when, and only if, somebody asks for the result.
    lazy: () => ({
      then: (fulfilled: (value: string) => unknown, rejected: (reason: unknown) => unknown) =>
        query(5)
          .then(() => 'asked')
          .then(fulfilled, rejected)
    }),
    // The spans of other clients do not tell by their name that they are queries.
    foreign: async () => {
      const attributes = { 'db.system': 'postgresql', 'db.statement': 'SELECT 1 FROM foreigners' }
      const span = trace.getTracer('test').startSpan('prisma:client:db_query', { attributes })
      await delay(5)
      span.end()
      return 'done'
    },
    late: async () => {
      setTimeout(() => void query(1), 20)
      return Promise.resolve(1)
    }
  }
}

async function start(): Promise<FastifyInstance> {
  processMonitor().foundSqlClient()
  return service({ schema, resolvers })
}

function resolver(name: string): ResolverSnapshot | undefined {
  return processMonitor().snapshot({ include: ['resolvers'], name }).resolvers[0]
}

function rowOf(name: string): ResolverSnapshot {
  const row = resolver(name)
  if (row === undefined) throw new Error(`no row for ${name}`)
  return row
}

function statementsOf(operation: string): number {
  const [found] = processMonitor().snapshot({ include: ['operations'], name: operation }).operations
  return found === undefined ? 0 : Math.round(found.queriesPerRequest * found.count)
}

test('operations that share a context value keep their SQL apart, started in any order', async t => {
  const app = await start()
  t.teardown(() => app.close())
  const shared = { app }
  const run = (operation: string, count: number): PromiseLike<ExecutionResult> | ExecutionResult =>
    execute({
      schema: app.graphql.schema,
      document: parse(`query ${operation} { queries(count: ${count}) again: queries(count: 1) }`),
      contextValue: shared
    })
  await Promise.all([run('SharedA', 20), run('SharedB', 3), delay(5).then(() => run('SharedC', 12)), run('SharedD', 1)])
  await run('SharedE', 2)
  t.strictSame(['SharedA', 'SharedB', 'SharedC', 'SharedD', 'SharedE'].map(statementsOf), [21, 4, 13, 2, 3])
})

test('an operation inside a resolver of another, on the same context, is an operation of its own', async t => {
  const app = await start()
  t.teardown(() => app.close())
  await app.graphql(`query Outside { nested(query: "query Inside { queries(count: 4) }") queries(count: 2) }`, {})
  t.equal(statementsOf('Inside'), 4)
  t.equal(statementsOf('Outside'), 2)
})

test('selfTime leaves out resolver calls that run inside, and SQL', async t => {
  const app = await start()
  t.teardown(() => app.close())
  const before = resolver('Query.nested')
  await app.graphql(`query Around { nested(query: "{ parallel }") }`, {})
  const around = resolver('Query.nested')
  const inside = rowOf('Query.parallel')
  const total = (around?.totalTime ?? 0) - (before?.totalTime ?? 0)
  const self = (around?.selfTime ?? 0) - (before?.selfTime ?? 0)
  t.ok(total >= inside.totalTime, 'the whole call takes longer than the one inside')
  t.ok(self <= total - inside.totalTime + 1e-6, 'and what ran inside is taken off')
  t.equal(inside.sqlCount, 3)
  t.ok(inside.sqlTime <= inside.totalTime, 'queries side by side are waited for once')
  t.ok(Math.abs(inside.totalTime - inside.sqlTime - inside.selfTime) < 1e-6)
})

test('selfTime leaves out a resolver that another calls itself', async t => {
  const app = await start()
  t.teardown(() => app.close())
  await app.graphql('query Warm { direct }', {})
  t.equal(resolver('Query.direct')?.count, 1)
  t.equal(resolver('Query.quick')?.count, 1)
  const { totalTime = 0, selfTime = NaN } = resolver('Query.direct') ?? {}
  t.ok(selfTime <= totalTime - (resolver('Query.quick')?.totalTime ?? NaN) + 1e-9)
})

test('a resolver that never waited and one day sends a query is found out at once', async t => {
  const app = await start()
  t.teardown(() => app.close())
  const before = resolver('Query.quick')?.sqlCount ?? 0
  while (fires < 50) await app.graphql('query Quick { quick }', {})
  t.equal((resolver('Query.quick')?.sqlCount ?? 0) - before, 10)
  t.equal(statementsOf('Quick'), 10)
})

test('a query sent after its resolver is over counts for the resolver all the same', async t => {
  const app = await start()
  t.teardown(() => app.close())
  await app.graphql('query Late { late }', {})
  await delay(60)
  t.equal(resolver('Query.late')?.sqlCount, 1)
})

test('a query that a lazy result sends when it is asked belongs to the resolver that returned it', async t => {
  const app = await start()
  t.teardown(() => app.close())
  for (let round = 0; round < 3; round += 1) {
    t.same(await app.graphql('query Lazy { lazy queries(count: 1) }', {}), { data: { lazy: 'asked', queries: 1 } })
  }
  const lazy = rowOf('Query.lazy')
  t.equal(lazy.sqlCount, 3)
  t.ok(lazy.sqlTime > 0.01 && lazy.sqlTime <= lazy.totalTime)
  t.equal(statementsOf('Lazy'), 6)
})

test('queries of clients whose spans have names of their own count for the resolver too', async t => {
  const app = await start()
  t.teardown(() => app.close())
  await app.graphql('query Foreign { foreign }', {})
  const foreign = rowOf('Query.foreign')
  t.equal(foreign.sqlCount, 1)
  t.ok(foreign.sqlTime > 0.003 && foreign.sqlTime <= foreign.totalTime)
  t.equal(statementsOf('Foreign'), 1)
})

test('switched off, nothing is measured on a context that was measured before', async t => {
  const app = await start()
  t.teardown(() => app.close())
  const shared = { app }
  const run = async (): Promise<unknown> =>
    execute({ schema: app.graphql.schema, document: parse('query Off { queries(count: 0) }'), contextValue: shared })
  await run()
  const before = resolver('Query.queries')?.count
  processMonitor().configure({ enabled: false })
  await run()
  processMonitor().configure({ enabled: true })
  t.equal(resolver('Query.queries')?.count, before)
})
