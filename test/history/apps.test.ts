import fastify, { type FastifyInstance } from 'fastify'
import { mercurius } from 'mercurius'
import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { createMonitor, type Monitor } from '../../src/monitor.js'
import { mercuriusPerformance } from '../../src/plugin.js'
import { usePostgres } from '../postgres.js'
import { call, recordResolver } from '../store/support.js'

const TOKEN = 'a-token-of-an-administrator-for-tests'

async function startApp(monitor: Monitor, url: string): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(mercurius, { schema: 'type Query { hello: String }' })
  await app.register(mercuriusPerformance, { monitor, adminToken: TOKEN, history: { url, instance: 'a' } })
  await app.ready()
  return app
}

async function counts(monitor: Monitor): Promise<[own: number, fleet: number | undefined]> {
  const [row] = (await monitor.history?.reader.rollups(
    { kinds: ['resolvers'] },
    { from: Date.now() - 3_600_000, to: Date.now() + 60_000 }
  )) ?? [undefined]
  return [monitor.snapshot().resolvers[0]?.count ?? 0, row?.rollup.times.count]
}

test('apps of one process share its history, and one that comes later does not count anything anew', async t => {
  const { url } = await usePostgres(t)
  const monitor = createMonitor(resolveConfig({}))
  t.teardown(() => {
    monitor.close()
  })
  const [one, other] = await Promise.all([startApp(monitor, url), startApp(monitor, url)])
  const { history } = monitor
  t.ok(history)
  recordResolver(monitor.store, 'Query.hello', call(0.1))
  await one.close()
  t.equal(monitor.history, history, 'the other app has it still')
  recordResolver(monitor.store, 'Query.hello', call(0.1))
  await other.close()
  t.equal(monitor.history, undefined)
  const late = await startApp(monitor, url)
  recordResolver(monitor.store, 'Query.hello', call(0.1))
  for (let waited = 0; monitor.history?.report.state !== 'WRITING' && waited < 200; waited += 1) {
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  await new Promise(resolve => setTimeout(resolve, 500))
  t.equal((await counts(monitor))[0], 3)
  await late.close()
  const last = await startApp(monitor, url)
  t.strictSame(await counts(monitor), [3, 3])
  await last.close()
})

test('a logger of the app that throws is a fault of which history knows nothing', async t => {
  const monitor = createMonitor(resolveConfig({}))
  const silent = (): void => undefined
  const warn = (_fields: unknown, message = ''): void => {
    if (message.startsWith('PERFORMANCE: history')) throw new Error('the logger')
  }
  const logger = {
    level: 'info',
    info: silent,
    error: silent,
    debug: silent,
    fatal: silent,
    trace: silent,
    silent,
    warn
  }
  const loggerInstance = { ...logger, child: () => loggerInstance }
  const app = fastify({ loggerInstance })
  await app.register(mercurius, { schema: 'type Query { hello: String }' })
  await app.register(mercuriusPerformance, { monitor, history: { url: 'postgres://nobody@127.0.0.1:1/none' } })
  await app.ready()
  for (let waited = 0; monitor.faults.faults === 0 && waited < 200; waited += 1) {
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  t.match(monitor.history?.report, { state: 'FAILING' })
  await app.close()
  t.ok(monitor.faults.faults >= 1, `${monitor.faults.faults} faults`)
  monitor.close()
})

test('where nothing is measured, nothing is kept', async t => {
  const monitor = createMonitor(resolveConfig({ PERFORMANCE_ENABLED: 'false' }))
  const app = await startApp(monitor, 'postgres://nobody@127.0.0.1:1/none')
  t.equal(monitor.history, undefined)
  await app.close()
  monitor.close()
})
