import '../preload.js'
import { test } from 'tap'
import { createMonitor, createPool as createProcessPool, getAllMetrics, PerformanceError } from '../../dist/index.js'
import { resolveConfig } from '../../dist/config.js'
import { createPool } from '../../dist/database/pool.js'
import type { CreatePoolOptions } from '../../dist/database/pool-options.js'
import { manualClock } from '../clock.js'
import { runNode } from '../node.js'
import { usePostgres } from '../postgres.js'

test('pools say how they stand, what they did and how long callers waited', { timeout: 60_000 }, async t => {
  const { url } = await usePostgres(t)
  const clock = manualClock()
  const monitor = createMonitor(resolveConfig({}, { retentionPeriod: 60 }), { clock })
  t.teardown(() => {
    monitor.close()
  })
  const empty = monitor.snapshot().pool
  t.match(empty, { max: 0, size: 0, saturation: 0, waits: { count: 0 }, requests: 0, retries: 0, byName: [] })

  const orders = createPool({ connectionString: url, name: 'orders', max: 2 }, monitor.pools)
  const stock = createPool({ connectionString: url, name: 'stock' }, monitor.pools)
  const held = [await orders.connect(), await orders.connect()]
  const waiting = orders.query('SELECT 1')
  await stock.query('SELECT 1')
  const { byName, ...all } = monitor.snapshot({ include: ['pool'] }).pool
  t.match(all, { max: 12, size: 3, idle: 1, waiting: 1, saturation: 2 / 12, requests: 4, attempts: 4 })
  t.match(byName, [
    { name: 'orders', max: 2, size: 2, idle: 0, waiting: 1, saturation: 1, requests: 3, waits: { count: 2 } },
    { name: 'stock', max: 10, size: 1, idle: 1, waiting: 0, saturation: 0, requests: 1, waits: { count: 1 } }
  ])
  for (const client of held) client.release()
  await waiting
  const { waits } = monitor.snapshot().pool
  t.equal(waits.count, 4)
  t.ok(waits.maxTime > 0 && waits.maxTime < 10 && waits.medianTime <= waits.p99Time)
  t.match(monitor.snapshot({ include: ['cache'] }).pool, { requests: 0, byName: [] }, 'not asked for, not read')

  await orders.end()
  t.match(monitor.snapshot().pool, { max: 10, requests: 4, byName: [{ name: 'stock' }] }, 'one that ended still counts')
  clock.advance(120)
  t.equal(monitor.snapshot().pool.waits.count, 0, 'waits are forgotten with the retention')
  t.equal(monitor.snapshot().pool.requests, 4)
  await stock.end()
})

test('createPool of the package is counted by the monitor of the process', { timeout: 60_000 }, async t => {
  const { url } = await usePostgres(t)
  const pool = createProcessPool({ connectionString: url, name: 'of the process' })
  t.teardown(() => pool.end())
  await pool.query('SELECT 1')
  t.match(getAllMetrics().pool.byName, [{ name: 'of the process', requests: 1, waits: { count: 1 } }])
})

test('a bad option is named with its value and what is right', async t => {
  const cases: [options: CreatePoolOptions, problem: RegExp][] = [
    [{ max: 0 }, /max is 0: expected a whole number from 1 to 10000/],
    [{ max: '7' as unknown as number }, /max is "7"/],
    [{ deadline: 0 }, /deadline is 0: expected seconds above 0/],
    [{ deadline: NaN }, /deadline is NaN/],
    [{ name: '' }, /name is ""/],
    [{ statement_timeout: -1 }, /statement_timeout is -1/],
    [{ connectionString: ' ' }, /connectionString is " ": expected postgres:/],
    [{ connectionString: 7 as unknown as string, max: 1.5 }, /max is 1.5.*; .*connectionString is 7/]
  ]
  for (const [options, problem] of cases) {
    t.throws(() => createPool(options), { code: 'MPERF_CONFIG_INVALID', message: problem })
  }
  t.throws(() => createPool({ max: -1 }), PerformanceError)
})

test('whoever imports the package does not load pg', async t => {
  const program = `
    import { createRequire } from 'node:module'
    import { createPool } from 'mercurius-performance'
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('/node_modules/pg/'))
    const before = loaded()
    await createPool().end()
    console.log(JSON.stringify([before, loaded()]))`
  const { stdout, stderr } = await runNode(['--input-type=module', '-e', program])
  t.equal(stdout, '[false,true]\n', stderr)
})
