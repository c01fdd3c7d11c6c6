import { test, type Test } from 'tap'
import { runNode } from '../../node.js'
import { exportTo, startReceiver, type Received } from '../../otlp.js'

/** An app that answers some operations, waits a moment, closes and ends at once, as a host does that is told to stop. */
const app = `
  import { setTimeout as delay } from 'node:timers/promises'
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  const app = Fastify({ logger: { level: 'warn' } })
  await app.register(mercurius, { schema: 'type Query { hello: String }', resolvers: { Query: { hello: async () => 'hello' } } })
  await app.register(mercuriusPerformance, { logAllMetrics: false })
  for (let operation = 0; operation < Number(process.env.TEST_OPERATIONS); operation += 1) {
    await app.inject({ method: 'POST', url: '/graphql', payload: { query: 'query Hello { hello }' } })
  }
  await delay(200)
  await app.close()
  process.exit(0)`

async function stop(t: Test, received: Received, settings: Record<string, string>): Promise<string> {
  const environment = { ...exportTo(received), OTEL_METRICS_EXPORTER: 'none', ...settings }
  const preload = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app]
  const { code, stdout, stderr } = await runNode(preload, environment)
  t.strictSame([code, stderr], [0, ''])
  return stdout
}

test('an app that closes while spans are on their way waits for the answer', async t => {
  const received = await startReceiver(t)
  received.answer = () => ({ status: 200, delay: 700 })
  const log = await stop(t, received, { TEST_OPERATIONS: '1', OTEL_BSP_SCHEDULE_DELAY: '20' })
  t.equal(log, '')
  t.ok(received.spans.some(({ name }) => name === 'query Hello'))
})

test('of several batches one is refused, and the others are waited for', async t => {
  const received = await startReceiver(t)
  // The first is on its way when the app closes, all others leave then.
  received.answer = before => (before === 1 ? { status: 400, delay: 0 } : { status: 200, delay: 700 })
  const log = await stop(t, received, {
    TEST_OPERATIONS: '3',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
    OTEL_BSP_SCHEDULE_DELAY: '3600000'
  })
  t.match(log, 'PERFORMANCE: 2 spans were not sent')
  t.ok(received.spans.length >= 3 * 2)
})
