import { test } from 'tap'
import { MEBIBYTE } from '../heap.js'
import { runNode } from '../node.js'

/** An SDK of its own, without OpenTelemetry's spans of operations, and operations that start the next in a span that never ends. */
const app = `
  import { PerformanceSpanProcessor, ResolverInstrumentation } from 'mercurius-performance'
  import { NodeSDK } from '@opentelemetry/sdk-node'
  import { trace } from '@opentelemetry/api'
  const sdk = new NodeSDK({ instrumentations: [new ResolverInstrumentation()], spanProcessors: [new PerformanceSpanProcessor()] })
  sdk.start()
  const { graphql, buildSchema, subscribe, parse } = await import('graphql')
  const schema = buildSchema('type Query { tick(left: Int!): Int } type Subscription { ticks(left: Int!): Int }')
  const inSpan = work => void trace.getTracer('test').startActiveSpan('round', () => void work())
  const turn = () => new Promise(done => setImmediate(done))
  const ways = {
    operation: left => graphql({ schema, source: '{ tick(left: ' + left + ') }', contextValue: {} }),
    stream: left => subscribe({ schema, document: parse('subscription { ticks(left: ' + left + ') }'), contextValue: {} })
  }
  let way, done
  const step = async left => {
    await turn()
    if (left === 0) done()
    else inSpan(() => ways[way](left - 1))
  }
  schema.getQueryType().getFields().tick.resolve = (_, { left }) => { void step(left); return left }
  schema.getSubscriptionType().getFields().ticks.subscribe = (_, { left }) => { void step(left); return (async function* () {})() }
  const run = left => new Promise(resolve => { done = resolve; inSpan(() => ways[way](left)) })
  const bytes = async () => { await turn(); gc(); gc(); return process.memoryUsage().heapUsed }
  const grown = {}
  for (way of Object.keys(ways)) {
    await run(1000)
    const before = await bytes()
    let held
    const last = new Promise(resolve => { done = resolve; inSpan(() => ways[way](5000)) })
    // While the last one still runs: what hangs on it counts.
    done = (resolve => async () => { held = await bytes(); resolve() })(done)
    await last
    grown[way] = held - before
  }
  console.log(JSON.stringify(grown))
  process.exit(0)`

test('operations that are exported do not hang on those before them, nor do streams', { timeout: 60_000 }, async t => {
  const { code, stdout, stderr } = await runNode(['--expose-gc', '--input-type=module', '-e', app])
  t.strictSame([code, stderr], [0, ''])
  const grown = JSON.parse(stdout) as Record<string, number>
  t.strictSame(Object.keys(grown), ['operation', 'stream'])
  for (const [way, bytes] of Object.entries(grown)) t.ok(bytes < 2 * MEBIBYTE, `${way}: ${bytes}`)
})
