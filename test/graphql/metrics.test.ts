import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { test } from 'tap'
import type { PerformanceConfig } from '../../src/config.js'
import { addMetricsField } from '../../src/graphql/fields.js'
import { processMonitor } from '../../src/process-monitor.js'
import { ask, service } from '../service.js'

interface Row {
  readonly name: string
  readonly count: number
  readonly errorCount: number
  readonly recent: readonly { readonly argsCount: number | null; readonly failed: boolean; readonly traceId: string }[]
  readonly operationType: string
}

interface Metrics {
  readonly _performanceMetrics: {
    readonly resolvers: readonly Row[]
    readonly operations: readonly Row[]
    readonly cache: Record<string, number> & { readonly byName: readonly Record<string, unknown>[] }
    readonly config: PerformanceConfig
  }
}

const schema = `
  type Query { issues(first: Int, status: String): [Issue!]!  broken: String  hello: String }
  type Mutation { close(id: ID!): Issue }
  type Issue { id: ID! title: String author: User comments(first: Int): [Comment!]! meta: Meta }
  type Meta { stars: Int }
  type User { id: ID! name: String }
  type Comment { body: String }
`

const resolvers = {
  Query: {
    issues: async (_: unknown, { first = 3 }: { first?: number }) => {
      await delay(1)
      return Array.from({ length: first }, (_item, id) => ({ id, title: `Issue ${id}`, meta: { stars: id } }))
    },
    broken: () => {
      throw new Error('broken')
    },
    hello: () => 'hello'
  },
  Mutation: { close: (_: unknown, { id }: { id: string }) => ({ id, title: 'closed' }) },
  Issue: {
    author: () => ({ id: 1, name: 'Ada' }),
    comments: async (_: unknown, { first = 2 }: { first?: number }) => {
      await delay(1)
      return Array.from({ length: first }, () => ({ body: 'text' }))
    }
  }
}

const everything = `{ _performanceMetrics {
  resolvers(limit: 2001) { name count errorCount recent(limit: 32) { argsCount failed traceId } }
  operations { name operationType count errorCount }
  cache { hits misses hitRatio avgHitTime medianMissTime byName { name hits misses } }
  config { enabled includeInResponse logAllMetrics retentionPeriod slowQueryThreshold slowResolverThreshold maxResolverSpans } } }`

test('GraphQL Integration: counts equal what was executed, to the unit, with 20 requests in flight', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  const list = 'query IssueList { issues(first: 5, status: "open") { id title author { name } comments { body } } }'
  const requests = Array.from(
    { length: 200 },
    (_, index) => [list, '{ broken }', 'mutation Close { close(id: 7) { id } }'][index % 3]
  )
  for (let at = 0; at < requests.length; at += 20) {
    await Promise.all(requests.slice(at, at + 20).map(query => ask(app, query ?? '')))
  }
  const { data } = await ask<Metrics>(app, everything)
  const counts = new Map(data._performanceMetrics.resolvers.map(({ name, count }) => [name, count]))
  t.strictSame(
    counts,
    new Map([
      ['Query.issues', 67],
      ['Issue.author', 67 * 5],
      ['Issue.comments', 67 * 5],
      ['Query.broken', 67],
      ['Mutation.close', 66]
    ]),
    'resolvers, and no field without a resolver of its own'
  )
  const broken = data._performanceMetrics.resolvers.find(({ name }) => name === 'Query.broken')
  t.match(broken, { errorCount: 67, recent: [{ failed: true, argsCount: 0 }] })
  const issues = data._performanceMetrics.resolvers.find(({ name }) => name === 'Query.issues')
  t.match(issues, { errorCount: 0, recent: [{ failed: false, argsCount: 2, traceId: /^[0-9a-f]{32}$/ }] })
  t.match(
    data._performanceMetrics.operations
      .map(({ name, operationType, count, errorCount }) => [name, operationType, count, errorCount])
      .sort(),
    [
      ['Close', 'mutation', 66, 0],
      ['IssueList', 'query', 67, 0],
      [/^anonymous [0-9a-f]{16}$/, 'query', 67, 67]
    ]
  )
})

test('the monitor never appears in its own numbers', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  for (let round = 0; round < 3; round += 1) await ask(app, `query OwnQuestion ${everything}`)
  await ask(app, `query OwnRefused ${everything}`, {})
  await ask(app, '{ issues { _performance { executionTime } } }')
  const { data } = await ask<Metrics>(app, everything)
  const names = [...data._performanceMetrics.resolvers, ...data._performanceMetrics.operations].map(({ name }) => name)
  t.notOk(
    names.some(name => /erformance|Metrics|Own/.test(name)),
    names.join()
  )
  t.equal(processMonitor().faults.faults, 0)
})

test('asking the monitor along with something else hides nothing', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  const before = app.performance.snapshot({ name: 'Query.issues' }).resolvers[0]?.count ?? 0
  // Refused at once, while the slow field goes on.
  await ask(app, 'query Hide { _performanceMetrics { cache { hits } } issues { id } }', {})
  await delay(20)
  t.equal(app.performance.snapshot({ name: 'Hide' }).operations[0]?.count, 1)
  t.equal(app.performance.snapshot({ name: 'Query.issues' }).resolvers[0]?.count, before + 1)
})

test('Response Generation: _performance tells the time of the resolver call that returned the object', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  interface Timed {
    readonly _performance: { readonly executionTime: number; readonly resolverName: string } | null
  }
  interface Data {
    readonly issues: readonly (Timed & {
      readonly author: Timed
      readonly comments: readonly Timed[]
      readonly meta: Timed
    })[]
    readonly _performance: null
  }
  const query = `{ _performance { resolverName } issues { _performance { executionTime resolverName }
    author { _performance { executionTime resolverName } } comments { _performance { executionTime resolverName } }
    meta { _performance { resolverName } } } }`
  const { data } = await ask<Data>(app, query, {})
  t.equal(data._performance, null, 'no resolver returned the root')
  t.equal(data.issues.length, 3)
  for (const issue of data.issues) {
    t.equal(issue._performance?.resolverName, 'Query.issues')
    t.ok((issue._performance?.executionTime ?? 0) > 0)
    t.equal(issue.author._performance?.resolverName, 'Issue.author')
    t.equal(issue.comments[1]?._performance?.resolverName, 'Issue.comments')
    t.equal(issue.meta._performance?.resolverName, 'Query.issues', 'a plain property came with its parent')
  }
  app.performance.configure({ includeInResponse: false })
  const off = await ask<Data>(app, query, {})
  app.performance.configure({ includeInResponse: true })
  t.equal(off.data.issues[0]?._performance, null)
})

test('Cache Tracking: hits and misses add up, per cache and together', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  for (let index = 0; index < 30; index += 1) app.performance.trackCacheHit(0.001, 'labels')
  for (let index = 0; index < 10; index += 1) app.performance.trackCacheMiss(0.1)
  app.performance.trackCacheHit(NaN)
  app.performance.trackCacheMiss(-1)
  const { data } = await ask<Metrics>(app, everything)
  const { cache } = data._performanceMetrics
  t.match(cache, { hits: 30, misses: 10, hitRatio: 0.75 })
  t.ok(Math.abs((cache.medianMissTime ?? 0) - 0.1) < 0.001)
  t.match(cache.byName, [
    { name: 'labels', hits: 30, misses: 0 },
    { name: 'default', hits: 0, misses: 10 }
  ])
})

test('Conditional Execution: configure() at run time, and config over GraphQL', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  const countOf = () => app.performance.snapshot({ name: 'Query.hello' }).resolvers[0]?.count ?? 0
  const before = countOf()
  app.performance.configure({ enabled: false, slowQueryThreshold: 0.25 })
  await ask(app, '{ hello }')
  t.equal(countOf(), before, 'off: nothing is measured')
  const { data } = await ask<Metrics>(app, everything)
  t.match(data._performanceMetrics.config, { enabled: false, slowQueryThreshold: 0.25 })
  app.performance.configure({ enabled: true })
  await ask(app, '{ hello }')
  t.equal(countOf(), before + 1)
  t.throws(
    () => {
      app.performance.configure({ slowQueryThreshold: -1 })
    },
    { code: 'MPERF_CONFIG_INVALID' }
  )
  t.equal(app.performance.config.slowQueryThreshold, 0.25)
})

test('counts past 2^31 are answered', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema, resolvers })
  const monitor = processMonitor()
  monitor.trackCacheHit(0.001, 'huge')
  const { cache } = monitor.snapshot({ include: ['cache'] })
  const huge = { ...monitor.snapshot({ include: [] }), cache: { ...cache, hits: 2 ** 31 + 5 } }
  await addMetricsField(app.graphql, {
    reader: {
      config: monitor.config,
      snapshot: () => huge,
      timingAbove: () => undefined,
      costOf: () => undefined,
      history: undefined
    },
    authorize: () => true,
    timingForAdministratorsOnly: false
  })
  const { data, errors } = await ask<Metrics>(app, '{ _performanceMetrics { cache { hits } } }')
  t.equal(errors, undefined)
  t.equal(data._performanceMetrics.cache.hits, 2_147_483_653)
})

test('name, limit and orderBy select; out of range they are named with their bound', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  await ask(app, '{ hello issues { id } }')
  const rows = async (given: string) => {
    const { data } = await ask<Metrics>(app, `{ _performanceMetrics { resolvers(${given}) { name count } } }`)
    return data._performanceMetrics.resolvers
  }
  t.match(await rows('name: "Query.hello"'), [{ name: 'Query.hello' }])
  t.strictSame(await rows('name: "Query.nothing"'), [])
  t.equal((await rows('limit: 1')).length, 1)
  const byName = (await rows('orderBy: NAME')).map(({ name }) => name)
  t.strictSame(byName, [...byName].sort())
  const byCount = (await rows('orderBy: COUNT')).map(({ count }) => count)
  t.strictSame(
    byCount,
    [...byCount].sort((one, other) => other - one)
  )

  const bad: [string, RegExp][] = [
    ['limit: 0', /limit is 0: expected a number from 1 to 2001/],
    ['limit: 5000', /limit is 5000: expected a number from 1 to 2001/],
    ['limit: -1', /limit is -1/],
    ['name: ""', /name is a text of 0 characters: expected 1 to 200 characters/],
    [`name: "${'x'.repeat(300)}"`, /name is a text of 300 characters/]
  ]
  for (const [given, message] of bad) {
    const { errors } = await ask(app, `{ _performanceMetrics { resolvers(${given}) { name } } }`)
    t.match(errors, [{ message, extensions: { code: 'MPERF_ARGUMENT_INVALID' } }])
  }
  const order = await ask(app, '{ _performanceMetrics { resolvers(orderBy: SPEED) { name } } }')
  t.match(order.errors?.[0]?.message, /SPEED/)
  const recent = await ask(app, '{ _performanceMetrics { resolvers { recent(limit: 33) { failed } } } }')
  t.match(recent.errors?.[0], { message: /limit of recent is 33: expected a number from 1 to 32/ })
  const none = `{
    _performanceMetrics {
      resolvers(limit: null, name: "Query.hello") { recent(limit: null) { failed } }
      statements(limit: null) { callers(limit: null) { count } }
      slow(limit: null) { name }
      cache { byName(limit: null) { name } }
    }
  }`
  const { errors, data } = await ask<Metrics>(app, none)
  t.equal(errors, undefined, 'null asks for the default')
  t.match(data._performanceMetrics.resolvers, [{ recent: [{ failed: false }] }])
})

test('a client that names things after what objects know counts like any other', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  const before = app.performance.snapshot({ name: 'Query.hello' }).resolvers[0]?.count ?? 0
  for (const name of ['constructor', 'toString', 'hasOwnProperty']) await ask(app, `query ${name} { hello }`)
  t.equal(app.performance.snapshot({ name: 'Query.hello' }).resolvers[0]?.count, before + 3)
  t.equal(app.performance.snapshot({ name: 'constructor' }).operations[0]?.count, 1)
})
