import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { compact } from '../../src/history/postgres/compaction.js'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { Predecessor } from '../../src/history/postgres/predecessor.js'
import { floorTo, MINUTES } from '../../src/history/postgres/tables.js'
import { readSnapshot } from '../../src/store/read.js'
import { Store } from '../../src/store/store.js'
import { systemClock } from '../../src/lib/clock.js'
import { manualClock } from '../clock.js'
import { usePostgres } from '../postgres.js'
import { call, recordResolver } from '../store/support.js'
import { fakeTime } from './database-time.js'
import { settingsFor } from './numbered.js'
import { startNumbering } from './numbering.js'
import { startParts } from './parts.js'
import { startWireProxy, through } from '../database/wire.js'
import { addLive, addMinute, addNames, addWriter, entryOf, prepare, resolverNamed, SERVICE } from './simulated.js'

const config = resolveConfig({})

/** A process that has ended under the name that `startNumbering` gives to its own. */
async function addEndedWriter(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO mercurius_performance.writers (boot, service, instance, ended)
     VALUES (gen_random_uuid(), 'numbers', 'a', now()) RETURNING id`
  )
  return rows[0]?.id ?? 0
}

test('what was measured before is taken over once, whatever fails on the way', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.pass(60)
  await parts.measure(10)
  // Of the minute that is open when the process ends.
  await parts.measure(5)
  await parts.flush()
  await parts.pool.query('UPDATE mercurius_performance.writers SET ended = now()')
  const { rows } = await parts.pool.query<{ data: Buffer }>('SELECT data FROM mercurius_performance.live')
  await parts.pool.query(`UPDATE mercurius_performance.live SET data = 'spoilt'`)

  const database = new HistoryDatabase(parts.url)
  t.teardown(() => database.close())
  const clock = new DatabaseClock(parts.clock)
  const predecessor = new Predecessor(database, clock, settingsFor(parts.url, 'parts'))
  const earlier = new Store({ clock: parts.clock, retentionPeriod: 3600 })
  const countOf = (): number => readSnapshot(earlier, config, {}).resolvers[0]?.count ?? 0
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await t.rejects(predecessor.restoreInto(earlier, []))
    t.equal(countOf(), 20, 'what can be read is there, once')
  }
  await parts.pool.query('UPDATE mercurius_performance.live SET data = $1', [rows[0]?.data])
  t.equal(await predecessor.restoreInto(earlier, []), false)
  await predecessor.restoreInto(earlier, [])
  t.equal(countOf(), 25)
})

test('a process whose minutes cannot be read does not hide what the others under its name measured', async t => {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  const issues = resolverNamed('Query.issues')
  const now = floorTo(MINUTES.width, Date.now())
  await prepare(database, [now])
  await addNames(database, [issues])
  for (let process = 0; process < 3; process += 1) {
    const writer = await addWriter(database, 'a')
    await addLive(database, writer, now - process * MINUTES.width, [entryOf(issues, [1])])
  }
  await database.query('UPDATE mercurius_performance.writers SET ended = now()')
  await database.query(`UPDATE mercurius_performance.live SET data = 'spoilt' WHERE at = $1`, [new Date(now)])
  const earlier = new Store({ clock: systemClock, retentionPeriod: 3600 })
  const predecessor = new Predecessor(database, new DatabaseClock(systemClock), settingsFor(url, 'a', SERVICE))
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await t.rejects(predecessor.restoreInto(earlier, []), { code: /^Z_/ }, 'and that is said')
    t.equal(readSnapshot(earlier, config, {}).resolvers[0]?.count, 2)
  }
})

test('looks at what was measured before that fail for the connection are as many as it takes', async t => {
  const postgres = await usePostgres(t)
  const { url } = postgres
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => pool.end())
  const time = await fakeTime(pool, 300)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  await prepare(database, [time.origin])
  const issues = resolverNamed('Query.issues')
  await addNames(database, [issues])
  const writer = await addEndedWriter(pool)
  const at = floorTo(MINUTES.width, time.origin) - 2 * MINUTES.width
  await addLive(database, writer, at, [entryOf(issues, [1, 2])])
  const proxy = await startWireProxy(t, postgres.port)
  // Three attempts a look.
  proxy.watch('ended IS NOT NULL OR seen', 'before it arrives', 66)
  const { history, earlier } = startNumbering(t, through(url, proxy), 'a', time, 50, 86_400)
  const countOf = (): number => readSnapshot(earlier, config, {}).resolvers[0]?.count ?? 0
  for (let waited = 0; countOf() === 0 && waited < 300; waited += 1) await delay(100)
  t.equal(countOf(), 2)
  t.equal(history.report.problem, null)
})

/** Knows the most rows that it has answered at once. */
class WatchedDatabase extends HistoryDatabase {
  mostRows = 0

  override async query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    const rows = await super.query<Row>(sql, values)
    this.mostRows = Math.max(this.mostRows, rows.length)
    return rows
  }
}

test('a process that starts holds some minutes of what was measured before at once, however many there are', async t => {
  const { url } = await usePostgres(t)
  const database = new WatchedDatabase(url)
  t.teardown(() => database.close())
  const issues = resolverNamed('Query.issues')
  const now = floorTo(MINUTES.width, Date.now())
  const minutes = 500
  await prepare(
    database,
    Array.from({ length: 10 }, (_, hour) => now - 60 * hour * MINUTES.width)
  )
  await addNames(database, [issues])
  const writer = await addWriter(database, 'a')
  await addLive(database, writer, now, [])
  await addMinute(database, writer, now, [entryOf(issues, [1])])
  await database.query(
    `
      INSERT INTO mercurius_performance.minutes (at, writer, data)
      SELECT at - index * interval '1 minute', writer, data
      FROM mercurius_performance.minutes, generate_series(1, ${minutes - 1}) AS index
    `
  )
  await database.query('UPDATE mercurius_performance.writers SET ended = now()')
  const earlier = new Store({ clock: systemClock, retentionPeriod: 86_400 })
  const predecessor = new Predecessor(database, new DatabaseClock(systemClock), settingsFor(url, 'a', SERVICE))
  await predecessor.restoreInto(earlier, [])
  t.equal(readSnapshot(earlier, config, {}).resolvers[0]?.count, minutes)
  t.ok(database.mostRows < 50, `${database.mostRows} rows at once`)
})

test('what was measured before and cannot be read is not asked for as long as the process lives', async t => {
  const { url } = await usePostgres(t, ['logging_collector=on', 'log_statement=all'])
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => pool.end())
  // Half a minute takes 100 ms.
  const time = await fakeTime(pool, 300)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  await prepare(database, [time.origin])
  const writer = await addEndedWriter(pool)
  await addLive(database, writer, floorTo(MINUTES.width, time.origin) - 2 * MINUTES.width, [])
  await compact(database, settingsFor(url, 'a').retention, time.origin)
  await pool.query(`UPDATE mercurius_performance.live SET data = 'spoilt'`)
  const { history, lines } = startNumbering(t, url, 'a', time, 50)
  for (let waited = 0; history.report.problem === null && waited < 100; waited += 1) await delay(50)
  const problem = /^what was measured before this process is not known: stored rows cannot be read/
  const { report } = history
  t.match(report, { state: 'WRITING', problem }, 'it says what is not known and why')
  const looks = async (): Promise<number> => {
    const { rows } = await pool.query<{ log: string }>('SELECT pg_read_file(pg_current_logfile()) AS log')
    return rows[0]?.log.match(/ended IS NOT NULL OR seen/g)?.length ?? 0
  }
  let found = -1
  for (let before = -2; before < found || found === 0; before = found, found = await looks()) await delay(3_000)
  t.ok(found > 2 && found <= 20, `${found} times`)
  for (let waited = 0; history.report.problem !== null && waited < 200; waited += 1) await delay(100)
  t.equal(history.report.problem, null, 'until it would not be shown any more')
  t.strictSame(lines, [`warn PERFORMANCE: history: ${report.problem ?? ''}`], 'once')
})

test('where everything is kept, what was measured before takes no more memory than if it had been here', async t => {
  const minutes = 1200
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  const issues = resolverNamed('Query.issues')
  const now = floorTo(MINUTES.width, Date.now())
  const before = (index: number): number => now - index * MINUTES.width
  await prepare(
    database,
    Array.from({ length: 1 + minutes / 60 }, (_, hour) => before(60 * hour))
  )
  await addNames(database, [issues])
  // Two processes, one after the other, each of which wrote every other minute.
  const writers = [await addWriter(database, 'a'), await addWriter(database, 'a')]
  const duration = 1e6
  for (const [index, writer] of writers.entries()) {
    for (let minute = minutes - index; minute > 0; minute -= writers.length)
      await addMinute(database, writer, before(minute), [entryOf(issues, [duration])])
    await addLive(database, writer, before(minutes), [])
  }
  await database.query('UPDATE mercurius_performance.writers SET ended = now()')

  const earlier = new Store({ clock: systemClock, retentionPeriod: 0 })
  const predecessor = new Predecessor(database, new DatabaseClock(systemClock), settingsFor(url, 'a', SERVICE))
  await predecessor.restoreInto(earlier, [])
  const clock = manualClock()
  const own = new Store({ clock, retentionPeriod: 0 })
  for (let minute = 0; minute < minutes; minute += 1) {
    recordResolver(own, 'Query.issues', call(duration / 1e9))
    clock.advance(60)
  }
  const countOf = (store: Store): number => readSnapshot(store, config, {}).resolvers[0]?.count ?? 0
  t.strictSame([countOf(earlier), countOf(own)], [minutes, minutes])
  t.ok(earlier.bytes < 2 * own.bytes, `${earlier.bytes} bytes, and ${own.bytes} had it been measured here`)
  earlier.setRetention(3600)
  const young = countOf(earlier)
  t.ok(young >= 59 && young < 120, `${young} minutes are of the last hour, or of slots that reach into it`)
})
