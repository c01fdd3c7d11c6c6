import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test, type Test } from 'tap'
import { startWireProxy, through, type WireProxy } from '../database/wire.js'
import { findFreePort, usePostgres } from '../postgres.js'
import { ask } from '../service.js'
import { allUpTo, heldOf, recordNumbered } from './numbered.js'
import { serviceWithHistory, type HistoryService } from './service.js'

const PATIENCE = 20_000

type Query = (sql: string) => Promise<unknown>

interface Bad {
  readonly name: string
  readonly spoil?: string
  /** Where it is, given where the good one is. */
  readonly url?: (good: string) => string
  readonly problem: RegExp
  readonly mend: string
}

const at = (good: string, change: Partial<URL>): string => Object.assign(new URL(good), change).href

const databases: readonly Bad[] = [
  {
    name: 'there is no such database',
    url: good => at(good, { pathname: '/missing' }),
    problem: /create it, or correct the name in history\.url \(3D000\)/,
    mend: 'CREATE DATABASE missing'
  },
  {
    name: 'it is read-only',
    spoil: 'ALTER ROLE postgres SET default_transaction_read_only = on',
    problem: /name one that can be written to \(25006\)/,
    mend: 'SET default_transaction_read_only = off; ALTER ROLE postgres RESET default_transaction_read_only'
  },
  {
    name: 'the user may not create anything',
    spoil: `CREATE ROLE guest LOGIN PASSWORD 'hunter2-secret'`,
    url: good => at(good, { username: 'guest' }),
    problem: /grant it CREATE on the database or, .* or make it .* \(42501\)/,
    mend: 'GRANT CREATE ON DATABASE postgres TO guest'
  },
  {
    name: 'the password is wrong',
    spoil: `CREATE ROLE guest LOGIN PASSWORD 'another'; GRANT CREATE ON DATABASE postgres TO guest`,
    url: good => at(good, { username: 'guest' }),
    problem: /correct it \(28P01\)/,
    mend: `ALTER ROLE guest PASSWORD 'hunter2-secret'`
  },
  {
    name: 'its schema is there, made for a user who may make none, and may not be used yet',
    spoil: `CREATE ROLE guest LOGIN PASSWORD 'hunter2-secret'; CREATE SCHEMA mercurius_performance`,
    url: good => at(good, { username: 'guest' }),
    problem: /where the schema mercurius_performance is there, USAGE and CREATE on that, or .* \(42501\)/,
    mend: 'GRANT USAGE, CREATE ON SCHEMA mercurius_performance TO guest'
  },
  {
    // As a disk that is full answers, by a trigger.
    name: 'its disk is full',
    spoil: `
      CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''could not extend file'' USING ERRCODE = ''53100''; END';
      CREATE EVENT TRIGGER full_disk ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA', 'CREATE TABLE')
        EXECUTE FUNCTION full_disk()`,
    problem: /make room \(53100\)/,
    mend: 'DROP EVENT TRIGGER full_disk'
  }
]

async function suffer(t: Test, { app, monitor, lines, report, flush, fleetCodes }: HistoryService, problem: RegExp) {
  const deadline = performance.now() + PATIENCE
  while ((await report()).state !== 'FAILING' && performance.now() < deadline) await delay(20)
  recordNumbered(monitor.store, 1)
  await flush()
  t.match(await ask(app, '{ hello }'), { data: { hello: 'you' } })
  const { state, problem: found, lastWritten } = await report()
  t.strictSame([state, lastWritten], ['FAILING', null])
  t.match(found, problem, 'it says what to do')
  t.notMatch(found, /hunter2|\n/, 'in one line without a secret')
  t.strictSame(await fleetCodes(), ['MPERF_HISTORY_UNAVAILABLE'])
  await delay(1_000)
  t.equal(lines.length, 1, lines.join())
  t.notMatch(lines.join(), 'hunter2')
}

async function recover(t: Test, { monitor, lines, report, flush, fleetCodes }: HistoryService, url: string) {
  const deadline = performance.now() + PATIENCE
  recordNumbered(monitor.store, 2)
  while ((await report()).state !== 'WRITING' && performance.now() < deadline) await delay(20)
  await flush()
  t.match(await report(), { state: 'WRITING', problem: null, waitingMinutes: 0, droppedMinutes: 0 })
  t.strictSame(await fleetCodes(), [])
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const { rows } = await pool.query<{ boot: string }>('SELECT boot FROM mercurius_performance.writers')
  t.strictSame(await heldOf(pool, rows[0]?.boot ?? ''), allUpTo(2))
  await pool.end()
  t.match(lines, [/cannot be written/, /written again/])
}

for (const { name, spoil, url = (good: string) => good, problem, mend } of databases) {
  test(`${name}: the API serves on and says what to do, and nothing is lost once that is done`, async t => {
    const good = (await usePostgres(t)).url
    const pool = new pg.Pool({ connectionString: good, max: 1 })
    t.teardown(() => pool.end())
    const query: Query = sql => pool.query(sql)
    if (spoil !== undefined) await query(spoil)
    const service = await serviceWithHistory(t, url(good))
    await suffer(t, service, problem)
    await query(mend)
    await recover(t, service, url(good))
  })
}

test('nothing listens there: the API serves on, and all is written once something does', async t => {
  const postgres = await usePostgres(t)
  const port = await findFreePort()
  const url = through(postgres.url, { port })
  const service = await serviceWithHistory(t, url)
  await suffer(t, service, /start the database, or correct history\.url \(ECONNREFUSED\)/)
  const server = createServer(client => {
    const upstream = connect(postgres.port, '127.0.0.1')
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
    client.pipe(upstream).pipe(client)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  await recover(t, service, url)
})

test('each answer takes three seconds: the API serves on, and closing takes two', { timeout: 60_000 }, async t => {
  const postgres = await usePostgres(t)
  const proxy: WireProxy = await startWireProxy(t, postgres.port)
  const service = await serviceWithHistory(t, through(postgres.url, proxy))
  await delay(500)
  recordNumbered(service.monitor.store, 1)
  proxy.delay(3_000)
  const began = performance.now()
  t.match(await ask(service.app, '{ hello }'), { data: { hello: 'you' } })
  t.ok(performance.now() - began < 500, 'the API does not wait for it')
  const closing = performance.now()
  await service.app.close()
  t.ok(performance.now() - closing < 2_500, `closed after ${performance.now() - closing} ms`)
})
