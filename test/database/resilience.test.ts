import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import type { Test } from 'tap'
import { test } from 'tap'
import { createPool, type ResilientPool } from '../../dist/database/pool.js'
import { PoolGroup } from '../../dist/database/pool-group.js'
import type { CreatePoolOptions } from '../../dist/database/pool-options.js'
import { newCounts, retriesIn, type PoolCounts } from '../../dist/database/counts.js'
import type { RequestPool } from '../../dist/database/request.js'
import { TransactionRequest } from '../../dist/database/transaction-request.js'
import { findFreePort, usePostgres } from '../postgres.js'
import { startWireProxy, through, type WireProxy } from './wire.js'

interface Service {
  readonly pool: ResilientPool
  readonly proxy: WireProxy
  readonly counts: () => PoolCounts
  /** How often a row is in the table. */
  readonly present: (id: number) => Promise<number>
}

const INSERT = 'INSERT INTO ledger VALUES ($1)'
const UPSERT = 'INSERT INTO ledger VALUES ($1) ON CONFLICT (id) DO NOTHING'

/** A pool that reaches Postgres through a proxy, and a way around it. */
async function useService(t: Test, options: CreatePoolOptions = {}): Promise<Service> {
  const postgres = await usePostgres(t)
  const proxy = await startWireProxy(t, postgres.port)
  const direct = createPool({ connectionString: postgres.url, max: 2 })
  await direct.query('CREATE TABLE ledger (id integer PRIMARY KEY)')
  const group = new PoolGroup()
  const pool = createPool({ connectionString: through(postgres.url, proxy), ...options }, group)
  t.teardown(() => Promise.all([direct.end(), pool.end()]))
  return {
    pool,
    proxy,
    counts: () => group.total.counts,
    present: async id => (await direct.query('SELECT FROM ledger WHERE id = $1', [id])).rowCount ?? 0
  }
}

test('a statement of its own whose connection is cut', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts, present } = await useService(t)
  await pool.query('SELECT 1')

  t.test('a read is read once more, and not more often', async t => {
    proxy.watch('AS read', 'before its answer')
    t.same((await pool.query('SELECT 1 AS read')).rows, [{ read: 1 }])
    proxy.watch('AS read', 'before its answer', 2)
    await t.rejects(pool.query('SELECT 1 AS read'), { message: 'Connection terminated unexpectedly' })
    t.equal(counts().lostAfterSending, 2)
  })

  t.test('a write is not repeated, and its error says that it may have happened', async t => {
    for (const [id, cut, times] of [
      [1, 'before its answer', 1],
      [2, 'before it arrives', 0]
    ] as const) {
      proxy.watch('INSERT', cut)
      await t.rejects(pool.query(INSERT, [id]), {
        code: 'MPERF_OUTCOME_UNKNOWN',
        cause: { message: 'Connection terminated unexpectedly' }
      })
      t.equal(await present(id), times, cut)
    }
    t.equal(counts().outcomesUnknown, 2)
  })

  t.test('nor is one that ends with an error that nobody has heard of', async t => {
    for (const id of [11, 12]) {
      pool.once('acquire', client => {
        const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
        setTimeout(() => stream.destroy(Object.assign(new Error('down'), { code: 'ENETDOWN' })), 30)
      })
      const late = `SELECT pg_sleep(0.1); INSERT INTO ledger VALUES (${id})`
      if (id === 11) await t.rejects(pool.query(late), { code: 'MPERF_OUTCOME_UNKNOWN', cause: { code: 'ENETDOWN' } })
      else await t.resolves(pool.transaction(client => client.query(late), { repeatable: true }))
    }
  })

  t.test('one that is declared idempotent is', async t => {
    proxy.watch('INSERT', 'before its answer', 2)
    await pool.query({ text: UPSERT, values: [3], idempotent: true })
    t.equal(await present(3), 1)
    proxy.watch('INSERT', 'before its answer', 3)
    await t.rejects(pool.query({ text: UPSERT, values: [4], idempotent: true }), { code: 'MPERF_OUTCOME_UNKNOWN' })
    t.equal(await present(4), 1)
  })

  t.test('errors of Postgres come out as they are, at the first attempt', async t => {
    const { attempts } = counts()
    await t.rejects(pool.query(INSERT, [1]), { code: '23505' })
    await t.rejects(pool.query('SELECT 1 / 0'), { code: '22012' })
    await t.rejects(pool.query('SELEC'), { code: '42601' })
    await t.rejects(pool.query({ text: 'SET statement_timeout = 10; SELECT pg_sleep(1)' }), { code: '57014' })
    t.equal(counts().attempts, attempts + 4)
  })
})

test('a serialization failure of a statement of its own', { timeout: 60_000 }, async t => {
  const { pool, counts } = await useService(t)
  await pool.query(`
    CREATE SEQUENCE turn;
    CREATE TABLE log (id integer);
    CREATE FUNCTION fail_once() RETURNS integer LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('turn') % 2 = 1 THEN RAISE 'not now' USING ERRCODE = '40001'; END IF;
        RETURN 1;
      END $$;
    CREATE PROCEDURE log_and_fail() LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO log VALUES (1);
        COMMIT;
        PERFORM fail_once();
      END $$`)
  const logged = async () => (await pool.query('SELECT FROM log')).rowCount

  t.test('is repeated where Postgres has undone all of it', async t => {
    t.equal((await pool.query('INSERT INTO log SELECT fail_once()')).rowCount, 1)
    t.equal(counts().rolledBack, 1)
    t.equal(await logged(), 1)
  })

  t.test('is not where it may have committed something before', async t => {
    const committing = [
      'CALL log_and_fail()',
      'DO $$ BEGIN INSERT INTO log VALUES (1); COMMIT; PERFORM fail_once(); END $$',
      'BEGIN; INSERT INTO log VALUES (1); COMMIT; SELECT fail_once()'
    ]
    for (const [index, text] of committing.entries()) {
      await t.rejects(pool.query(text), { code: '40001' }, text)
      t.equal(await logged(), index + 2, text)
      await pool.query("SELECT setval('turn', 2)")
    }
    t.equal(counts().rolledBack, 1)
  })

  t.test('unless that does no harm', async t => {
    await pool.query({ text: 'CALL log_and_fail()', idempotent: true })
    t.equal(counts().rolledBack, 2)
  })
})

test('what never reached Postgres is tried again, and succeeds', { timeout: 60_000 }, async t => {
  const postgres = await usePostgres(t, ['max_connections=5', 'superuser_reserved_connections=0'])
  // The first pause is half of 50 ms.
  t.intercept(Math, 'random', { value: () => 0.5 })
  const inserted = async (pool: ResilientPool, id: number) =>
    (await pool.query('SELECT FROM ledger WHERE id = $1', [id])).rowCount

  t.test('refused, then accepted', async t => {
    const port = await findFreePort()
    const group = new PoolGroup()
    const pool = createPool({ connectionString: through(postgres.url, { port }), max: 1 }, group)
    t.teardown(() => pool.end())
    const asked = pool.query('CREATE TABLE ledger (id integer)')
    while (group.total.counts.attempts === 0 || group.total.size > 0) await delay(1)
    const proxy = await startWireProxy(t, postgres.port, port)
    await asked
    t.equal(proxy.connections, 1)
    t.match(group.total.counts, { requests: 1, attempts: 2, neverConnected: 1 })
  })

  t.test('no connection left (53300), then one', async t => {
    const group = new PoolGroup()
    const pool = createPool({ connectionString: postgres.url, max: 1 }, group)
    t.teardown(() => pool.end())
    const others = createPool({ connectionString: postgres.url, max: 8 })
    const held: PoolClient[] = []
    for (;;) {
      const client = await others.connect().catch(() => undefined)
      if (client === undefined) break
      held.push(client)
    }
    const refused = new Promise<void>(resolve => {
      const timer = setInterval(() => {
        if (group.total.counts.attempts === 0 || group.total.size > 0) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    const asked = pool.transaction(client => client.query('INSERT INTO ledger VALUES (1)'))
    await refused
    for (const client of held) client.release(true)
    await asked
    await others.end()
    t.ok(group.total.counts.neverConnected >= 1)
    t.equal(await inserted(pool, 1), 1)
  })
})

test('every form of a call is the one of pg', { timeout: 60_000 }, async t => {
  const { pool } = await useService(t)
  const called = (...given: unknown[]): Promise<unknown> =>
    new Promise(resolve => {
      ;(pool.query as (...given: unknown[]) => unknown)(...given, (error: unknown, result?: { rows: unknown }) => {
        resolve(error ?? result?.rows)
      })
    })
  t.same(await called('SELECT 1 AS a'), [{ a: 1 }])
  t.same(await called('SELECT $1::integer AS a', [2]), [{ a: 2 }])
  t.same(await called({ text: 'SELECT 3 AS a' }), [{ a: 3 }])
  t.match(await called('SELECT 1 / 0'), { code: '22012' })
  t.same((await pool.query({ text: 'SELECT 4', rowMode: 'array' })).rows, [[4]])
  t.same((await pool.query({ name: 'n', text: 'SELECT $1::integer AS a', values: [5] })).rows, [{ a: 5 }])
  t.equal(((await pool.query('SELECT 1; SELECT 2')) as unknown as unknown[]).length, 2)
  await t.rejects(pool.query(undefined as unknown as string), TypeError)
  const client = await pool.connect()
  t.same((await client.query('SELECT 6 AS a')).rows, [{ a: 6 }])
  client.release()
  await new Promise<void>((resolve, reject) => {
    pool.connect((error, client, release) => {
      release()
      if (client === undefined) reject(new Error('no connection', { cause: error }))
      else resolve()
    })
  })
  t.equal(pool.idleCount, pool.totalCount, 'all connections are given back')
})

test('a transaction is done as a whole or not at all', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts, present } = await useService(t)
  const add =
    (id: number, text = INSERT) =>
    async (client: { query: ResilientPool['query'] }) => {
      await client.query(text, [id])
      return id
    }

  t.test('what its callback throws rolls it back and comes out', async t => {
    t.equal(await pool.transaction(add(1)), 1)
    const failing = pool.transaction(async client => {
      await client.query(INSERT, [2])
      throw new Error('its own')
    })
    await t.rejects(failing, { message: 'its own' })
    t.same([await present(1), await present(2)], [1, 0])
    const swallowing = pool.transaction(client => client.query(INSERT, [1]).catch(() => undefined))
    await t.rejects(swallowing, { code: 'MPERF_TRANSACTION_ROLLED_BACK' })
  })

  t.test('cut before COMMIT, it runs again only if it is repeatable', async t => {
    proxy.watch('INSERT', 'before its answer')
    await t.rejects(pool.transaction(add(3)), { message: 'Connection terminated unexpectedly' })
    t.equal(await present(3), 0)
    proxy.watch('INSERT', 'before its answer')
    await pool.transaction(add(3), { repeatable: true })
    t.equal(await present(3), 1)
    proxy.watch('BEGIN', 'before its answer')
    await pool.transaction(add(4))
    t.equal(await present(4), 1, 'nothing had been done at BEGIN')
  })

  t.test('cut at COMMIT, its outcome is unknown', async t => {
    proxy.watch('COMMIT', 'before its answer')
    await t.rejects(pool.transaction(add(5), { repeatable: true }), { code: 'MPERF_OUTCOME_UNKNOWN' })
    t.equal(await present(5), 1)
    proxy.watch('COMMIT', 'before its answer')
    await pool.transaction(add(6, UPSERT), { idempotent: true })
    t.equal(await present(6), 1)
  })

  t.test('an error of its own that looks like a lost connection is none', async t => {
    let runs = 0
    const work = (): Promise<void> => {
      runs += 1
      return Promise.reject(Object.assign(new Error('of another service'), { code: 'ECONNRESET' }))
    }
    await t.rejects(pool.transaction(work, { repeatable: true }), { message: 'of another service' })
    t.equal(runs, 1)
  })

  t.test('its client is of no use afterwards', async t => {
    let kept: { query: ResilientPool['query'] } | undefined
    await pool.transaction(async client => {
      kept = client
    })
    await t.rejects(async () => kept?.query('SELECT 1'), { code: 'MPERF_TRANSACTION_OVER' })
  })

  t.test('neither is it to a cursor, which is told so', async t => {
    let kept: { query: ResilientPool['query'] } | undefined
    await pool.transaction(async client => {
      kept = client
    })
    const told = await new Promise(resolve => {
      const cursor = { submit: () => undefined, handleError: resolve }
      t.equal(kept?.query(cursor), cursor)
    })
    t.match(told, { code: 'MPERF_TRANSACTION_OVER' })
  })

  t.test('a deadlock is resolved by running one of the two again', async t => {
    await pool.query('CREATE TABLE pair (id integer PRIMARY KEY, n integer); INSERT INTO pair VALUES (1, 0), (2, 0)')
    await pool.query("SET deadlock_timeout = '50ms'").catch(() => undefined)
    let met = 0
    const swap = (first: number, second: number) =>
      pool.transaction(
        async client => {
          await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [first])
          met += 1
          for (let turn = 0; met < 2 && turn < 50; turn += 1) await delay(10)
          await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [second])
        },
        { deadline: 10 }
      )
    await Promise.all([swap(1, 2), swap(2, 1)])
    t.same((await pool.query('SELECT n FROM pair')).rows, [{ n: 2 }, { n: 2 }])
    t.equal(counts().rolledBack, 1)
  })

  t.equal(pool.waitingCount, 0)
})

test('every caller settles by its deadline', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts, present } = await useService(t, { max: 2, deadline: 0.3 })
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
  await delay(150)
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
  const { pool, proxy, present } = await useService(t, { deadline: 0.4, max: 2 })
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
  const { pool } = await useService(t, { max: 1, deadline: 0.2 })
  const thrown = new Promise(resolve => {
    process.once('uncaughtException', resolve)
  })
  pool.query('SELECT pg_sleep(5)', () => {
    throw new Error('of the callback')
  })
  t.match(await thrown, { message: 'of the callback' })
  t.equal((await pool.query({ text: 'SELECT 1', deadline: 2 })).rowCount, 1)
})

test('retries keep to a tenth of the requests', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts } = await useService(t)
  await pool.query('SELECT 1')
  proxy.watch('SELECT', 'before it arrives', Infinity)
  for (let request = 0; request < 30; request += 1) await t.rejects(pool.query('SELECT 1'))
  const { requests, retriesRefused } = counts()
  t.equal(requests, 31)
  t.equal(retriesIn(counts()), 12)
  t.equal(retriesRefused, 18)
})
