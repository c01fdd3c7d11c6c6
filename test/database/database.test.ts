import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { startEmbeddedPostgres } from '../../dist/database/embedded.js'
import { withLockedTransaction } from '../../dist/database/locked-transaction.js'
import { migrate, type Migration } from '../../dist/database/migrate.js'
import { createPool } from '../../dist/database/pool.js'
import { NO_POSTGRES, startPostgres, usePostgres } from '../postgres.js'

const migrations: Migration[] = [
  { version: 1, name: 'one', sql: 'CREATE TABLE one (id integer); INSERT INTO one VALUES (1);' },
  { version: 2, name: 'two', sql: 'CREATE TABLE two (id integer);' }
]

const kinds = [
  ['embedded Postgres', startEmbeddedPostgres],
  ['a PostgreSQL server', startPostgres]
] as const

for (const [kind, start] of kinds) {
  test(kind, { timeout: 60_000 }, async t => {
    const database = await start()
    if (database === null) {
      t.plan(0, NO_POSTGRES)
      return
    }
    t.teardown(() => database.close())
    const pool = createPool({ connectionString: database.url, max: 8 })
    t.teardown(() => pool.end())

    t.test('migrations run once, whoever else runs them', async t => {
      const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(database.url, migrations)))
      t.same(applied.flat(), [1, 2])
      t.same(await migrate(database.url, migrations), [])
      t.equal((await pool.query('SELECT * FROM one')).rowCount, 1)
    })

    t.test('migrations that fail leave nothing behind', async t => {
      const failing = [
        ...migrations,
        { version: 3, name: 'three', sql: 'CREATE TABLE three (id integer); SELECT 1 / 0;' }
      ]
      await t.rejects(migrate(database.url, failing), { code: '22012' })
      t.match((await pool.query("SELECT to_regclass('three') AS three")).rows, [{ three: null }])
      await t.rejects(migrate(database.url, [{ version: 1, name: 'one', sql: 'SELECT 2' }, ...migrations.slice(1)]), {
        message: /MD5 checksum failed for migration \[1\]/
      })
    })

    t.test('another table keeps another history, and files may hold migrations', async t => {
      const folder = t.testdir({ '001.do.other.sql': 'CREATE TABLE other (id integer);' })
      t.same(await migrate(database.url, folder, { table: 'other_migrations' }), [1])
      t.same(await migrate(database.url, folder, { table: 'other_migrations' }), [])
      t.same(await migrate(database.url, migrations), [])
    })

    t.test('locked transactions take turns', async t => {
      let running = 0
      const most = await Promise.all(
        Array.from({ length: 4 }, () =>
          withLockedTransaction(database.url, async client => {
            running += 1
            await client.query('SELECT 1')
            const seen = running
            running -= 1
            return seen
          })
        )
      )
      t.same(most, [1, 1, 1, 1])
      await t.rejects(
        withLockedTransaction(database.url, client => client.query('SELECT 1 / 0').catch(() => 'swallowed')),
        { message: /rolled the transaction back/ }
      )
    })

    t.test('statements of concurrent clients are not confused, however large', async t => {
      // Half a megabyte arrives in several chunks, between which other clients' messages come.
      const large = 'z'.repeat(500_000)
      await pool.query('CREATE TABLE ledger (id integer)')
      const answers = await Promise.all(
        Array.from({ length: 120 }, async (_, index) => {
          if (index % 3 === 0) return transfer(pool, index)
          const sql =
            index % 3 === 1 ? 'SELECT $1::integer AS id, length($2) AS size' : 'SELECT $1::text AS id, $2::text AS size'
          const { rows } = await pool.query<{ id: unknown }>(sql, [index, index % 3 === 1 ? large : 'small'])
          return Number(rows[0]?.id)
        })
      )
      t.same(
        answers,
        Array.from({ length: 120 }, (_, index) => index)
      )
      const { rows } = await pool.query('SELECT array_agg(id ORDER BY id) AS ids FROM ledger')
      t.same(rows, [{ ids: [0, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66, 72, 78, 84, 90, 96, 102, 108, 114] }])
    })

    t.test('clients that vanish, also in the middle of a transaction, do not block the others', async t => {
      const vanishing = new pg.Client(database.url)
      vanishing.on('error', () => undefined)
      await vanishing.connect()
      await vanishing.query('BEGIN')
      await vanishing.query('INSERT INTO one VALUES (2)')
      const waiting = pool.query('SELECT * FROM one WHERE id = $1', [2])
      ;(vanishing as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
      t.equal((await waiting).rowCount, 0)
    })
  })
}

/** A transaction of every other caller fails. */
async function transfer(pool: pg.Pool, id: number): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('INSERT INTO ledger VALUES ($1)', [id])
    await client.query('SELECT 1 / $1::integer', [id % 6 === 0 ? 1 : 0])
    await client.query('COMMIT')
  } catch {
    await client.query('ROLLBACK')
  } finally {
    client.release()
  }
  return id
}

test('a pool survives its server', { timeout: 60_000 }, async t => {
  const server = await startPostgres()
  if (server === null) {
    t.plan(0, NO_POSTGRES)
    return
  }
  t.teardown(() => server.close())
  const pool = createPool({ connectionString: server.url })
  t.teardown(() => pool.end())

  const checkedOut = await pool.connect()
  const inFlight = pool.query('SELECT pg_sleep(5)')
  const idle = await pool.connect()
  idle.release()
  const rejected = t.rejects(inFlight)
  await server.stop('immediate')
  await rejected
  await t.rejects(checkedOut.query('SELECT 1'))
  checkedOut.release(true)
  // Until the pool has noticed that its idle connection is broken, a query would be given that one.
  while (pool.totalCount > 0) await delay(10)
  await t.rejects(pool.query('SELECT 1'), { code: 'ECONNREFUSED' })
  await server.start()
  t.match((await pool.query('SELECT 1 AS one')).rows, [{ one: 1 }])

  const { rows } = await pool.query(
    "SELECT current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS idle"
  )
  t.same(rows, [{ statement: '5s', idle: '10s' }])
  t.equal(pool.options.keepAlive, true)
})

test('limits that are switched off are not sent, which PgBouncer would refuse, and keepAlive can be', async t => {
  const { url } = await usePostgres(t)
  const pool = createPool({
    connectionString: url,
    keepAlive: false,
    statement_timeout: 0,
    idle_in_transaction_session_timeout: 0
  })
  t.teardown(() => pool.end())
  t.equal(pool.options.keepAlive, false)
  const client = await pool.connect()
  await client.query(`ALTER ROLE postgres SET statement_timeout = '7s'`)
  await client.query(`ALTER ROLE postgres SET idle_in_transaction_session_timeout = '8s'`)
  client.release(true)
  const { rows } = await pool.query(
    "SELECT current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS idle"
  )
  t.same(rows, [{ statement: '7s', idle: '8s' }], 'those of the server hold')
})

test('the embedded Postgres keeps no process alive once it is closed', async t => {
  const embedded = await startEmbeddedPostgres()
  const client = new pg.Client(embedded.url)
  client.on('error', () => undefined)
  await client.connect()
  await embedded.close()
  await t.rejects(client.query('SELECT 1'))
  const again = new pg.Client(embedded.url)
  await t.rejects(again.connect(), { code: 'ECONNREFUSED' })
})
