import { test } from 'tap'
import { runNode } from '../../node.js'
import { attributesOf, exportTo, startReceiver, type ReceivedSpan } from '../../otlp.js'
import { usePostgres } from '../../postgres.js'

const given = (jit: number, body: string): string[] => [
  '--import',
  'mercurius-performance/register',
  '--input-type=module',
  '-e',
  `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  import pg from 'pg'
  import { trace } from '@opentelemetry/api'
  const pool = new pg.Pool({ connectionString: process.env.TEST_DATABASE, max: 2 })
  const app = Fastify()
  const schema = 'type Query { sleep(secret: String): User broken(secret: String): User quick: User } ' +
    'type User { name: String late: String }'
  const sleep = (seconds, secret) => pool.query("SELECT pg_sleep($1), 'hunter2', $2::text", [seconds, secret])
  const said = secret => ({ 'exception.message': secret, 'url.query': secret, 'db.statement': "SELECT 'hunter2'" })
  const quoting = []
  const quote = secret => {
    const span = trace.getTracer('app').startSpan('quote')
    span.addEvent('said', said(secret)).addLink({ context: span.spanContext(), attributes: said(secret) }).end()
    quoting.push(span)
  }
  const resolvers = {
    Query: {
      sleep: async (_, { secret }) => { await sleep(1.5, secret); return {} },
      broken: async (_, { secret }) => { await sleep(0, secret); quote(secret); throw new Error('hunter2 ' + secret) },
      quick: async () => { await sleep(0); return {} }
    },
    User: { name: () => 'Ada', late: async () => (await pool.query('SELECT 1 AS one')).rows[0].one }
  }
  await app.register(mercurius, { schema, resolvers, jit: ${jit} })
  await app.register(mercuriusPerformance, { authorize: () => true })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = async (query, variables, headers) => (await fetch(url + '/graphql', {
    method: 'POST', headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    body: JSON.stringify({ query, variables })
  })).json()
  const metrics = async fields => (await ask('{ _performanceMetrics { ' + fields + ' } }')).data._performanceMetrics
  const say = value => console.log(JSON.stringify(value))
  ${body}
  const quoted = quoting.flatMap(({ events = [], links = [] }) => [...events, ...links])
  if (quoted.some(({ attributes }) => attributes['url.query'] !== 'hunter2')) throw new Error('changed after its end')
  await app.close()
  await pool.end()
  process.exit(0)`
]

const SLEEP =
  'query Sleep($secret: String) { sleep(secret: $secret) { name late } other: sleep(secret: "hunter2") { name } }'
const BROKEN = 'query Broken { broken(secret: "hunter2") { name } }'
const environment = {
  OTEL_TRACES_SAMPLER: 'parentbased_always_off',
  // So far apart that no pause of a busy machine makes one of the other.
  PERFORMANCE_SLOW_OPERATION_THRESHOLD: '1',
  PERFORMANCE_SLOW_QUERY_THRESHOLD: '60',
  PERFORMANCE_SLOW_RESOLVER_THRESHOLD: '60',
  PERFORMANCE_TRACE_URL: 'http://jaeger.example/trace/{traceId}'
}

const childrenOf = (spans: readonly ReceivedSpan[], { spanId }: ReceivedSpan): ReceivedSpan[] =>
  spans.filter(({ parentSpanId }) => parentSpanId === spanId)
const named = (spans: readonly ReceivedSpan[]): string[] => spans.map(({ name }) => name.split(':')[0] ?? '').sort()

test('operations that were not sampled but slow or failed are exported whole', async t => {
  const postgres = await usePostgres(t)
  for (const jit of [0, 1]) {
    const received = await startReceiver(t)
    const body = `
      for (let round = 0; round < 3; round += 1) {
        await ask(${JSON.stringify(SLEEP)}, { secret: 'hunter2' })
        await ask('query Quick { quick { name late } }')
        await ask(${JSON.stringify(BROKEN)})
      }
      say((await metrics('slow { kind name text executionTime failed traceId traceUrl }')).slow)
      const account = async () =>
        (await metrics('self { export { ended exported dropped failed notSampled waiting } }')).self.export
      while ((await account()).waiting > 0) await new Promise(resolve => setTimeout(resolve, 50))
      say(await account())`
    const settings = {
      ...environment,
      ...exportTo(received),
      TEST_DATABASE: postgres.url,
      OTEL_BSP_SCHEDULE_DELAY: '50'
    }
    const { code, stdout, stderr } = await runNode(given(jit, body), settings)
    t.strictSame([code, stderr], [0, ''])
    const { spans } = received

    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
    t.strictSame(named(roots), [...Array<string>(3).fill('query Broken'), ...Array<string>(3).fill('query Sleep')])
    for (const root of roots) {
      t.equal(root.kind, 1)
      t.ok(Number(root.endTimeUnixNano) - Number(root.startTimeUnixNano) > 0)
      const trace = spans.filter(({ traceId }) => traceId === root.traceId)
      const children = childrenOf(trace, root)
      if (root.name === 'query Broken') {
        t.match(attributesOf(root), { 'graphql.operation.name': 'Broken', 'mercurius_performance.kept_for': 'failed' })
        t.equal(root.status.code, 2)
        t.strictSame(named(children), ['graphql.resolve Query.broken'])
        t.ok(children.every(({ status }) => status.code === 2))
        t.equal(trace.filter(({ name }) => name === 'quote').length, 1, 'a span of the application too')
      } else {
        t.match(attributesOf(root), { 'mercurius_performance.kept_for': 'slow' })
        const expected = ['Query.sleep', 'Query.sleep', 'User.late', 'User.name', 'User.name']
        t.strictSame(
          named(children),
          expected.map(name => `graphql.resolve ${name}`)
        )
      }
      t.ok(Number(root.endTimeUnixNano) - Number(root.startTimeUnixNano) < 5e9)
      for (const call of children) {
        const queries = childrenOf(trace, call).filter(({ name }) => name.startsWith('pg.query'))
        t.equal(queries.length, call.name.endsWith('.name') ? 0 : 1, `${call.name} has its SQL below it`)
        t.ok(BigInt(call.startTimeUnixNano) >= BigInt(root.startTimeUnixNano) - 1_000_000n)
        t.ok(BigInt(call.endTimeUnixNano) <= BigInt(root.endTimeUnixNano) + 1_000_000n)
        for (const query of queries) t.match(attributesOf(query)['db.query.text'], /^SELECT/)
      }
    }
    t.notMatch(received.body, 'hunter2', 'no literal, no parameter, no text of an error')

    const [slow, account] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown)
    t.equal((slow as unknown[]).length, 3, 'what failed is not slow')
    for (const call of slow as { traceId: string; name: string; text: string; traceUrl: string }[]) {
      t.match(call, { kind: 'OPERATION', name: 'Sleep', failed: false })
      t.match(call.text, 'sleep(secret: "*")')
      t.equal(call.traceUrl, `http://jaeger.example/trace/${call.traceId}`)
      t.ok(roots.some(({ traceId }) => traceId === call.traceId))
    }
    const { ended, exported, dropped, failed, notSampled, waiting } = (account ?? {}) as Record<string, number>
    t.equal(ended, Number(exported) + Number(dropped) + Number(failed) + Number(notSampled) + Number(waiting))
    t.equal(exported, spans.length)
    t.ok(Number(notSampled) >= 6, 'the SQL of what was quick')
    t.ok(
      spans.some(({ name }) => name === 'pg-pool.connect'),
      'waiting for a connection is part of it'
    )
  }
})

test('at most PERFORMANCE_SLOW_TRACES_PER_MINUTE of them are exported, and what a caller has sampled is none', async t => {
  const postgres = await usePostgres(t)
  const received = await startReceiver(t)
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const body = `
    for (let round = 0; round < 2; round += 1) await ask(${JSON.stringify(BROKEN)})
    await ask('query Sampled { quick { name } }', undefined, { traceparent: '${parent}' })
    await ask(${JSON.stringify(SLEEP)}, {}, { traceparent: '${parent.replace(/01$/, '00')}' })
    for (let round = 0; round < 5; round += 1) await ask(${JSON.stringify(BROKEN)})
    await ask(${JSON.stringify(SLEEP)})
    say((await metrics('slow(limit: 2) { name traceUrl }')).slow.map(({ name, traceUrl }) => [name, traceUrl === null]))`
  const settings = { ...environment, ...exportTo(received), PERFORMANCE_SLOW_TRACES_PER_MINUTE: '3' }
  const { code, stdout, stderr } = await runNode(given(0, body), { ...settings, TEST_DATABASE: postgres.url })
  t.strictSame([code, stderr], [0, ''])
  t.equal(received.spans.filter(({ name }) => name === 'query Broken').length, 2)
  const slow = [
    ['Sleep', true],
    ['Sleep', false]
  ]
  t.strictSame(JSON.parse(stdout), slow, 'no link to where nothing is')
  const sampled = received.spans.filter(({ traceId }) => parent.includes(traceId))
  t.ok(
    sampled.some(({ name }) => name === 'query Sampled'),
    'the caller has sampled it'
  )
  const server = sampled.find(({ kind }) => kind === 2)
  t.equal(server?.parentSpanId, 'b7ad6b7169203331')
  const kept = received.spans.filter(({ name }) => name === 'query Sleep')
  t.equal(kept.length, 1)
  t.ok(parent.includes(String(kept[0]?.traceId)), 'in the trace of its caller')
})

test('an operation that failed is exported even where it cannot be recorded', async t => {
  const postgres = await usePostgres(t)
  for (const jit of [0, 1]) {
    const received = await startReceiver(t)
    const body = `
      const { store } = globalThis[Symbol.for('mercurius-performance.monitor')]
      store.operationWriter = () => ({ write: () => { throw new Error('a fault of the monitor') } })
      // graphql-jit has it compiled by the second time.
      for (let round = 0; round < 2; round += 1) say((await ask(${JSON.stringify(BROKEN)})).data)
      say(await metrics('operations { name } self { faults }'))`
    const settings = { ...environment, ...exportTo(received), TEST_DATABASE: postgres.url }
    const { code, stdout, stderr } = await runNode(given(jit, body), settings)
    t.strictSame([code, stderr], [0, ''])
    t.strictSame(
      stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as unknown),
      [{ broken: null }, { broken: null }, { operations: [], self: { faults: 2 } }]
    )
    t.strictSame(
      named(received.spans.filter(({ name }) => name.startsWith('query') || name.startsWith('graphql'))),
      [...Array<string>(2).fill('graphql.resolve Query.broken'), ...Array<string>(2).fill('query Broken')],
      'the traces left all the same'
    )
  }
})

test('with OTEL_SDK_DISABLED nothing is measured nor exported, whatever fails', async t => {
  const postgres = await usePostgres(t)
  const received = await startReceiver(t)
  const body = `
    await ask(${JSON.stringify(BROKEN)})
    say(await metrics('operations { name } self { export { ended } }'))`
  const settings = { ...environment, ...exportTo(received), OTEL_SDK_DISABLED: 'true', TEST_DATABASE: postgres.url }
  const { code, stdout, stderr } = await runNode(given(0, body), settings)
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(JSON.parse(stdout), { operations: [], self: { export: null } })
  t.strictSame(received.body, '')
})
