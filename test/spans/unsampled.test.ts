import { context, trace, TraceFlags, type SpanContext } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { test } from 'tap'
import { isUnsampled } from '../../src/spans/unsampled.js'
import { runNode } from '../node.js'
import { exportTo, startReceiver } from '../otlp.js'

const app = (jit: number): string => `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  const app = Fastify()
  const isTraced = context => Object.getOwnPropertySymbols(context).some(({ description }) => /graphql/.test(description))
  const resolvers = { Query: { traced: (_, __, context) => String(isTraced(context)) } }
  await app.register(mercurius, { jit: ${jit}, schema: 'type Query { traced: String }', resolvers })
  await app.register(mercuriusPerformance)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = async (query, flags) => (await (await fetch(url + '/graphql', {
    method: 'POST', body: JSON.stringify({ query }),
    headers: { 'content-type': 'application/json', connection: 'close', traceparent:
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-' + flags }
  })).json()).data.traced
  const seen = []
  for (const flags of ['00', '01', '00', '01']) seen.push(await ask('query Traced { traced }', flags))
  const { operations, resolvers: rows } = app.performance.snapshot({ recent: 4 })
  const ids = operations[0].recent.map(({ traceId }) => traceId)
  console.log(JSON.stringify({ seen, count: operations[0].count, calls: rows[0].count, ids: [...new Set(ids)] }))
  await app.close()
  process.exit(0)`

const preload = (jit: number): string[] => [
  '--import',
  'mercurius-performance/register',
  '--input-type=module',
  '-e',
  app(jit)
]

for (const [jit, engine] of ['graphql-js', 'graphql-jit'].entries()) {
  test(`what a caller has not sampled goes round the instrumentation of GraphQL and counts all the same; ${engine}`, async t => {
    const received = await startReceiver(t)
    const { code, stdout, stderr } = await runNode(preload(jit), exportTo(received))
    t.strictSame([code, stderr], [0, ''])
    const { seen, ...rest } = JSON.parse(stdout) as { readonly seen: string[] }
    // The instrumentation leaves a mark on the context value, and sees nothing of what graphql-jit has compiled.
    t.strictSame(seen, jit === 0 ? ['false', 'true', 'false', 'true'] : Array(4).fill('false'))
    t.strictSame(rest, { count: 4, calls: 4, ids: ['0af7651916cd43dd8448eb211c80319c'] })
    const named = (name: string): number => received.spans.filter(span => span.name === name).length
    t.equal(named('query Traced'), 2)
    t.equal(named('graphql.resolve Query.traced'), 2)
    t.equal(received.spans.filter(({ kind }) => kind === 2).length, 2)
  })
}

test('only what a span of this process has decided counts as not sampled', t => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.teardown(() => {
    context.disable()
  })
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  const within = (active: SpanContext): boolean =>
    context.with(trace.setSpanContext(context.active(), active), isUnsampled)
  t.equal(isUnsampled(), false, 'nothing is decided yet')
  t.equal(within({ ...ids, traceFlags: TraceFlags.NONE }), true)
  t.equal(within({ ...ids, traceFlags: TraceFlags.SAMPLED }), false)
  t.equal(
    within({ ...ids, traceFlags: TraceFlags.NONE, isRemote: true }),
    false,
    'a sampler need not follow the caller'
  )
  t.equal(within({ ...ids, traceId: '0'.repeat(32), traceFlags: TraceFlags.NONE }), false, 'no span at all')
  t.end()
})
