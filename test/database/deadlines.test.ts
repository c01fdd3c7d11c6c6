import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { test } from 'tap'
import { newCounts } from '../../dist/database/counts.js'
import { createPool } from '../../dist/database/pool.js'
import type { RequestPool } from '../../dist/database/request.js'
import { TransactionRequest } from '../../dist/database/transaction-request.js'
import { usePostgres } from '../postgres.js'
import { INSERT, UPSERT, useLedger } from './ledger.js'

test('every caller settles by its deadline', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts, present } = await useLedger(t, { max: 2, deadline: 0.3 })
  const settles = async (asked: Promise<unknown>, code: string, seconds = 0.3): Promise<void> => {
    const began = performance.now()
    await t.rejects(asked, { code })
    const late = performance.now() - began - seconds * 1_000
    // The promise is 100 ms; the tests share their cores with others.
    t.ok(late < 300, `${late.toFixed(0)} ms after its deadline`)
  }
  await pool.query('SELECT 1')
  await settles(pool.query('SELECT pg_sleep(1)'), 'MPERF_DATABASE_DEADLINE')
  await settles(pool.query({ text: 'SELECT pg_sleep(1)', deadline: 0.1 }), 'MPERF_DATABASE_DEADLINE', 0.1)
  const work = (sql: string) => pool.transaction(client => client.query(sql))
  await settles(work('SELECT pg_sleep(1)'), 'MPERF_DATABASE_DEADLINE')
  let late: Promise<unknown> | undefined
  await settles(
    pool.transaction(async client => {
      await delay(400)
      late = client.query(INSERT, [7])
      await late
    }),
    'MPERF_DATABASE_DEADLINE'
  )
  while (late === undefined) await delay(5)
  await t.rejects(async () => late, { code: 'MPERF_TRANSACTION_OVER' })
  t.equal(await present(7), 0)

  const holders = [await pool.connect(), await pool.connect()]
  await settles(pool.query(INSERT, [8]), 'MPERF_DATABASE_DEADLINE')
  await settles(pool.connect(), 'MPERF_DATABASE_DEADLINE')
  for (const holder of holders) holder.release()
  t.equal((await pool.query('SELECT 1')).rowCount, 1)
  t.equal(await present(8), 0, 'who gave up waiting runs nothing later')

  proxy.silence(true)
  await settles(pool.query(INSERT, [9]), 'MPERF_OUTCOME_UNKNOWN')
  await settles(pool.query('SELECT 1'), 'MPERF_DATABASE_DEADLINE')
  await settles(pool.query({ text: UPSERT, values: [9], idempotent: true }), 'MPERF_DATABASE_DEADLINE')
  await settles(pool.connect(), 'MPERF_DATABASE_DEADLINE')
  proxy.silence(false)
  t.equal((await pool.query({ text: 'SELECT 1', deadline: 5 })).rowCount, 1)
  t.equal(counts().deadlinesExceeded, 10)
  t.equal(counts().outcomesUnknown, 1)
  await t.rejects(pool.query({ text: 'SELECT 1', deadline: -1 }), { code: 'MPERF_CONFIG_INVALID' })
})

test('the error at the deadline says what may have happened', { timeout: 60_000 }, async t => {
  const { pool, proxy, present } = await useLedger(t, { deadline: 0.4, max: 2 })
  await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])

  t.test('an idempotent write whose answer was lost, and whose retry is late', async t => {
    proxy.watch('INSERT', 'before its answer')
    const asked = pool.query({ text: UPSERT, values: [1], idempotent: true })
    const failed = t.rejects(asked, { code: 'MPERF_OUTCOME_UNKNOWN' })
    while (pool.totalCount === 2) await delay(1)
    proxy.silence(true)
    await failed
    proxy.silence(false)
    t.equal(await present(1), 1)
  })

  t.test('a transaction at COMMIT, idempotent or not', async t => {
    for (const idempotent of [false, true]) {
      const asked = pool.transaction(
        async client => {
          await client.query('SELECT 1')
          proxy.silence(true)
        },
        { idempotent }
      )
      await t.rejects(asked, { code: 'MPERF_OUTCOME_UNKNOWN' })
      proxy.silence(false)
    }
  })

  t.test('a COMMIT that Postgres refused did not happen', async t => {
    t.intercept(Math, 'random', { value: () => 0.999 })
    const refusal = Object.assign(new Error('not now'), { code: '40001' })
    const client = {
      query: (text: string) => (text === 'COMMIT' ? Promise.reject(refusal) : Promise.resolve({ command: text })),
      release: () => undefined
    } as unknown as PoolClient
    const requestPool: RequestPool = {
      counts: newCounts(),
      waiting: 0,
      isEnding: false,
      acquire: callback => {
        callback(undefined, client)
      },
      mayRetry: () => true,
      requested: () => undefined,
      waited: () => undefined,
      lost: () => undefined,
      describe: () => ''
    }
    const told = new Promise(resolve => {
      const request = new TransactionRequest(requestPool, 1_000, () => Promise.resolve(1), {}, resolve)
      request.start()
      setTimeout(() => {
        request.expired()
      }, 10)
    })
    t.match(await told, {
      code: 'MPERF_DATABASE_DEADLINE',
      message: /passed while it waited to try again/,
      cause: refusal
    })
  })

  t.test('what the callback threw comes out though ROLLBACK is not answered', async t => {
    const asked = pool.transaction(async client => {
      await client.query('SELECT 1')
      proxy.silence(true)
      throw new Error('its own')
    })
    await t.rejects(asked, { message: 'its own' })
    proxy.silence(false)
  })
})

test('what is cut at the deadline does not go on at the server', { timeout: 60_000 }, async t => {
  const postgres = await usePostgres(t)
  const direct = createPool({ connectionString: postgres.url, max: 2 })
  await direct.query('CREATE TABLE ledger (id integer)')
  const pool = createPool({ connectionString: postgres.url, max: 5, deadline: 0.3, application_name: 'cut' })
  t.teardown(() => Promise.all([direct.end(), pool.end()]))
  const locking = await direct.connect()
  await locking.query('BEGIN; LOCK TABLE ledger')
  const callers = Array.from({ length: 50 }, (_, id) => pool.query(INSERT, [id]).catch((error: unknown) => error))
  t.equal((await Promise.all(callers)).filter(error => error instanceof Error).length, 50)
  await delay(200)
  const there = await direct.query("SELECT FROM pg_stat_activity WHERE application_name = 'cut'")
  t.ok((there.rowCount ?? 0) <= 6, `${there.rowCount} connections at the server`)
  await locking.query('COMMIT')
  locking.release()
  await delay(200)
  t.equal((await direct.query('SELECT FROM ledger')).rowCount, 0)
})

test('a callback that throws at the deadline does not keep the connection', { timeout: 60_000 }, async t => {
  const { pool } = await useLedger(t, { max: 1, deadline: 0.2 })
  const thrown = new Promise(resolve => {
    process.once('uncaughtException', resolve)
  })
  pool.query('SELECT pg_sleep(5)', () => {
    throw new Error('of the callback')
  })
  t.match(await thrown, { message: 'of the callback' })
  t.equal((await pool.query({ text: 'SELECT 1', deadline: 2 })).rowCount, 1)
})
