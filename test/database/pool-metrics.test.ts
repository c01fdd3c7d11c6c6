import '../preload.js'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { createMonitor, createPool as createProcessPool, getAllMetrics, PerformanceError } from '../../dist/index.js'
import { resolveConfig } from '../../dist/config.js'
import { createPool } from '../../dist/database/pool.js'
import { PoolGroup } from '../../dist/database/pool-group.js'
import type { CreatePoolOptions } from '../../dist/database/pool-options.js'
import { manualClock } from '../clock.js'
import { root, runNode } from '../node.js'
import { usePostgres } from '../postgres.js'

test('pools say how they stand, what they did and how long callers waited', { timeout: 60_000 }, async t => {
  const { url } = await usePostgres(t)
  const clock = manualClock()
  const monitor = createMonitor(resolveConfig({}, { retentionPeriod: 60 }), { clock })
  t.teardown(() => {
    monitor.close()
  })
  const empty = monitor.snapshot().pool
  t.match(empty, { max: 0, size: 0, saturation: 0, waits: { count: 0 }, requests: 0, retries: 0 })
  t.strictSame(empty.byName, [])

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
  const unasked = monitor.snapshot({ include: ['cache'] }).pool
  t.strictSame([unasked.requests, unasked.byName], [0, []], 'not asked for, not read')

  await orders.end()
  t.match(monitor.snapshot().pool, { max: 10, requests: 4, byName: [{ name: 'stock' }] }, 'one that ended still counts')
  clock.advance(120)
  t.equal(monitor.snapshot().pool.waits.count, 0, 'waits are forgotten with the retention')
  t.equal(monitor.snapshot().pool.requests, 4)
  await stock.end()
})

test('what settles while its pool ends is counted, and what settles later', { timeout: 60_000 }, async t => {
  const { url } = await usePostgres(t)
  const group = new PoolGroup()
  const pool = createPool({ connectionString: url, name: 'ending', max: 1 }, group)
  await pool.query('SELECT 1')
  const late = pool.query({ text: 'SELECT pg_sleep(5)', deadline: 0.3 })
  while (pool.idleCount > 0) await delay(1)
  const ended = pool.end()
  t.equal(group.byName.get('ending')?.size, 1, 'a pool that is ending is still there')
  await t.rejects(late, { code: 'MPERF_DATABASE_DEADLINE' })
  await ended
  t.equal(group.byName.size, 0)
  t.match(group.total.counts, { requests: 2, deadlinesExceeded: 1 })
  await t.rejects(pool.query('SELECT 1'), { message: /after calling end/ })
  t.equal(group.total.counts.requests, 3)
  await t.rejects(pool.end(), { message: /more than once/ })
})

test('pools of more than a hundred names share one', async t => {
  const group = new PoolGroup()
  for (let index = 0; index < 103; index += 1) createPool({ name: `pool ${index}`, max: 2 }, group)
  createPool({ name: 'pool 7', max: 2 }, group)
  const { byName, total } = group
  t.equal(byName.size, 101)
  t.equal(byName.get('(other)')?.max, 6)
  t.equal(byName.get('pool 7')?.max, 4)
  t.equal(total.max, 208)
})

test('the pools that share a row have their waits in it', { timeout: 60_000 }, async t => {
  const { url } = await usePostgres(t)
  const monitor = createMonitor(resolveConfig({}, {}), { clock: manualClock() })
  t.teardown(() => {
    monitor.close()
  })
  const asked = new Map<string, number>()
  for (let index = 0; index < 103; index += 1) {
    const pool = createPool({ connectionString: url, name: `pool ${index}`, max: 1 }, monitor.pools)
    t.teardown(() => pool.end())
    // One of those that have a row of their own, and all of those that share one.
    const queries = index === 7 ? 1 : index < 100 ? 0 : index - 98
    asked.set(`pool ${index}`, queries)
    for (let query = 0; query < queries; query += 1) await pool.query('SELECT 1')
  }
  const former = createPool({ connectionString: url, name: 'former', max: 1 }, monitor.pools)
  await former.query('SELECT 1')
  await former.end()

  const { waits, byName } = monitor.snapshot({ include: ['pool'] }).pool
  t.equal(byName.length, 101)
  for (const row of byName) {
    const expected = row.name === '(other)' ? 2 + 3 + 4 : asked.get(row.name)
    if (row.waits.count !== expected) t.fail(`${row.name}: ${row.waits.count} waits instead of ${expected}`)
    t.equal(row.waits.maxTime > 0, row.waits.count > 0)
  }
  t.equal(waits.count, 11, 'a pool that has ended counts in the sum alone')
})

test('the options of another pool may be given', async t => {
  const first = createPool({ host: 'nowhere', password: 'secret' })
  const second = createPool(first.options as CreatePoolOptions)
  t.match(second.options, { host: 'nowhere' })
  t.equal(second.options.password, 'secret')
})

test('without pg it says what to install', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'mperf-no-pg-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await mkdir(join(folder, 'node_modules'))
  await symlink(join(root, 'node_modules/@opentelemetry'), join(folder, 'node_modules/@opentelemetry'))
  const { createPool: without } = (await import(join(folder, 'dist/database/pool.js'))) as {
    createPool: typeof createPool
  }
  t.throws(() => without({}), {
    code: 'MPERF_CONFIG_INVALID',
    message: 'the package pg is not installed, which createPool and history need: npm install pg'
  })
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
