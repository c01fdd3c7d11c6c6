import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { test } from 'tap'
import { retriesIn } from '../../dist/database/counts.js'
import { createPool, type ResilientPool } from '../../dist/database/pool.js'
import { PoolGroup } from '../../dist/database/pool-group.js'
import { findFreePort, usePostgres } from '../postgres.js'
import { INSERT, UPSERT, useLedger } from './ledger.js'
import { startWireProxy, through } from './wire.js'

test('a statement of its own whose connection is cut', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts, present } = await useLedger(t)
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

  t.test('an error that ends the connection leaves open what became of a write, whatever its SQLSTATE', async t => {
    const words = [
      { severity: 'FATAL', code: 'XX000' },
      { severity: 'FATAL', code: '58000' },
      { severity: 'PANIC', code: '58030' },
      { severity: 'PANIC', code: '53100' },
      { severity: 'FATAL', code: '40001' }
    ]
    for (const [index, said] of words.entries()) {
      const id = 20 + index
      proxy.watch('INSERT', 'before its answer', 1, said)
      await t.rejects(pool.query(INSERT, [id]), { code: 'MPERF_OUTCOME_UNKNOWN', cause: { code: said.code } })
      t.equal(await present(id), 1, `${said.severity} ${said.code}: it did happen`)
    }
  })

  t.test('and what only reads or may be done twice is done again', async t => {
    for (const code of ['XX000', '40001']) {
      const said = { severity: 'FATAL', code }
      proxy.watch('AS again', 'before its answer', 1, said)
      t.same((await pool.query('SELECT 1 AS again')).rows, [{ again: 1 }], code)
      proxy.watch('INSERT', 'before it arrives', 1, said)
      await pool.query({ text: UPSERT, values: [30], idempotent: true })
    }
    t.equal(await present(30), 1)
  })

  t.test('errors of Postgres come out as they are, at the first attempt', async t => {
    const { attempts } = counts()
    await t.rejects(pool.query(INSERT, [1]), { code: '23505' })
    await t.rejects(pool.query('SELECT 1 / 0'), { code: '22012' })
    await t.rejects(pool.query('SELEC'), { code: '42601' })
    const { connectionsLost, outcomesUnknown } = counts()
    await t.rejects(pool.query(INSERT, [1, 2]), { code: '08P01' }, 'a wrong number of parameters')
    t.strictSame([counts().connectionsLost, counts().outcomesUnknown], [connectionsLost, outcomesUnknown])
    await t.rejects(pool.query({ text: 'SET statement_timeout = 10; SELECT pg_sleep(1)' }), { code: '57014' })
    t.equal(counts().attempts, attempts + 5)
  })
})

test('a serialization failure of a statement of its own', { timeout: 60_000 }, async t => {
  const { pool, counts } = await useLedger(t)
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
  const { pool } = await useLedger(t)
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

test('an error that the application made, of a password or a value that it reads, comes out even if it is frozen', async t => {
  const { url, port } = await usePostgres(t)
  const own: Error = Object.freeze(new Error('its own'))
  const fail = (): never => {
    throw own
  }
  const unnamed = createPool({ host: '127.0.0.1', port, user: 'postgres', password: fail })
  const unreadable = createPool({ connectionString: url, types: { getTypeParser: () => fail } })
  t.teardown(() => Promise.all([unnamed.end(), unreadable.end()]))
  t.equal(await unnamed.connect().catch((error: unknown) => error), own)
  t.equal(await unnamed.query('SELECT 1').catch((error: unknown) => error), own)
  t.equal(await unreadable.query('SELECT 1').catch((error: unknown) => error), own)
})

test('retries keep to a tenth of the requests', { timeout: 60_000 }, async t => {
  const { pool, proxy, counts } = await useLedger(t)
  await pool.query('SELECT 1')
  proxy.watch('SELECT', 'before it arrives', Infinity)
  for (let request = 0; request < 30; request += 1) await t.rejects(pool.query('SELECT 1'))
  const { requests, retriesRefused } = counts()
  t.equal(requests, 31)
  t.equal(retriesIn(counts()), 12)
  t.equal(retriesRefused, 18)
})
