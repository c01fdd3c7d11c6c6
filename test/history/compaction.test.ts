import { test, type Test } from 'tap'
import { alone } from '../../src/history/postgres/alone.js'
import { compact } from '../../src/history/postgres/compaction.js'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { PostgresReader } from '../../src/history/postgres/reader.js'
import { ceilTo, floorTo } from '../../src/history/postgres/tables.js'
import { systemClock } from '../../src/lib/clock.js'
import { usePostgres } from '../postgres.js'
import { seededRandom } from '../random.js'
import { settingsFor } from './instances.js'
import { addMinute, addNames, addWriter, entryOf, prepare, resolverNamed } from './simulated.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const ISSUES = resolverNamed('Query.issues')
const USERS = resolverNamed('Query.users')

interface Written {
  readonly at: number
  readonly durations: readonly number[]
}

async function setUp(t: Test) {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  const now = Date.now()
  const settings = settingsFor(url, 'a')
  const reader = new PostgresReader(database, new DatabaseClock(systemClock), settings)
  await prepare(database, hoursBefore(now, 54))
  await addNames(database, [ISSUES, USERS])
  const writers = [await addWriter(database, 'a'), await addWriter(database, 'b')]
  const written: Written[] = []
  const random = seededRandom(7)
  const write = async (at: number, writer: number): Promise<void> => {
    const durations = Array.from({ length: 1 + Math.floor(20 * random()) }, () => Math.round(1e6 + 1e9 * random()))
    written.push({ at, durations })
    await addMinute(database, writer, at, [entryOf(ISSUES, durations), entryOf(USERS, [1])])
  }
  return { database, reader, writers, written, write, now, retention: settings.retention }
}

function hoursBefore(now: number, hours: number): number[] {
  return Array.from({ length: hours }, (_, index) => now - index * HOUR)
}

/** What was written of the windows that make up the range. */
function ledgerOf(written: readonly Written[], from: number, to: number): number[] {
  return written
    .filter(({ at }) => at >= from && at < to)
    .flatMap(({ durations }) => durations)
    .sort((one, other) => one - other)
}

test('whatever part is minutes, hours or days, a range holds all of it once', { timeout: 120_000 }, async t => {
  const { database, reader, writers, written, write, now, retention } = await setUp(t)
  const choice = { kinds: ['resolvers' as const], name: 'Query.issues' }
  const compare = async (from: number, to: number, widened: { from: number; to: number }): Promise<void> => {
    const [row] = await reader.rollups(choice, { from, to })
    const sorted = ledgerOf(written, widened.from, widened.to)
    const { count, sum, min, max } = row?.rollup.times ?? { count: 0, sum: 0, min: Infinity, max: 0 }
    const total = sorted.reduce((found, each) => found + each, 0)
    t.strictSame([count, sum, min, max], [sorted.length, total, sorted[0] ?? Infinity, sorted.at(-1) ?? 0])
    const points = await reader.timeline(choice, { from, to }, HOUR)
    t.equal(
      points.reduce((found, { rollup }) => found + rollup.times.count, 0),
      sorted.length,
      'step by step too'
    )
  }
  const compareAll = async (): Promise<void> => {
    const minute = floorTo(MINUTE, now)
    for (const hours of [1, 3, 7, 20]) {
      const from = minute - hours * HOUR - 7 * MINUTE
      await compare(from, minute - 13 * MINUTE, { from, to: minute - 13 * MINUTE })
    }
    // Of what is older than minutes are kept, whole hours are told.
    const [from, to] = [minute - 50 * HOUR - 7 * MINUTE, minute - 30 * HOUR - 7 * MINUTE]
    await compare(from, to, { from: floorTo(HOUR, from), to: ceilTo(HOUR, to) })
    await compare(from, minute, { from: floorTo(HOUR, from), to: minute })
  }
  for (let at = floorTo(MINUTE, now) - 22 * HOUR; at < now - MINUTE; at += 13 * MINUTE) {
    for (const writer of writers) await write(at, writer)
  }
  await compareAll()
  // As it was when that was young.
  const passed = async (time: number): Promise<void> => {
    for (let round = 0; round < 40; round += 1) await compact(database, retention, time)
  }
  for (let at = floorTo(MINUTE, now) - 52 * HOUR; at < now - 22 * HOUR; at += 17 * MINUTE) {
    for (const writer of writers) await write(at, writer)
  }
  await passed(now - 28 * HOUR)
  await passed(now)
  await compareAll()
  const [{ days, hours } = { days: 0, hours: 0 }] = await database.query<{ days: number; hours: number }>(
    `SELECT count(*) FILTER (WHERE tier = 'day')::int AS days, count(*) FILTER (WHERE tier = 'hour')::int AS hours
     FROM mercurius_performance.merged`
  )
  t.ok(days >= 1, `${days} days were merged`)
  t.ok(hours >= 45, `${hours} hours were merged`)
  t.comment('what comes late')
  await write(floorTo(MINUTE, now) - 5 * HOUR - 3 * MINUTE, writers[0] ?? 0)
  await write(floorTo(MINUTE, now) - 5 * HOUR - 4 * MINUTE, writers[1] ?? 0)
  await passed(now)
  await compareAll()
})

test('what is too old is dropped by partitions, and what was merged of it stays', { timeout: 60_000 }, async t => {
  const { database, reader, writers, write, written, now, retention } = await setUp(t)
  const old = floorTo(HOUR, now) - 30 * HOUR
  await write(old, writers[0] ?? 0)
  const partitions = async (): Promise<string[]> =>
    (
      await database.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relname ~ '^(fleet_)?(minutes|hours|days)_[0-9]+$' ORDER BY 1`
      )
    ).map(({ name }) => name)
  await compact(database, retention, old + 2 * HOUR)
  const before = await partitions()
  await compact(database, retention, now)
  const after = await partitions()
  const oldest = new Date(now - DAY).toISOString().replace(/[-T]/g, '').slice(0, 10)
  const young = before.filter(name => !name.includes('minutes_') || name.slice(-10) >= oldest)
  t.strictSame(after, young, 'minutes that begin before a day ago are gone, and nothing else')
  t.ok(before.length - after.length > 50)
  const [row] = await reader.rollups({ kinds: ['resolvers'], name: 'Query.issues' }, { from: old, to: old + HOUR })
  t.equal(row?.rollup.times.count, written[0]?.durations.length)
})

test('while another instance is at it, nobody takes it for merged', async t => {
  const { database, writers, write, now, retention } = await setUp(t)
  await write(floorTo(MINUTE, now) - 5 * MINUTE, writers[0] ?? 0)
  const other = new HistoryDatabase(database.url)
  t.teardown(() => other.close())
  await alone(other, async () => {
    t.equal(await compact(database, retention, now), false)
  })
  t.equal(await compact(database, retention, now), true)
})

test('a minute that cannot be merged is all that is missing from its hour and its day', async t => {
  const { database, writers, write, now, retention } = await setUp(t)
  const hour = floorTo(DAY, now) - 2 * HOUR
  const spoilt = hour + 7 * MINUTE
  for (const at of [hour, spoilt, hour + 9 * MINUTE]) await write(at, writers[0] ?? 0)
  /** How many calls of `Query.users` there are in each table; there is one a minute. */
  const counts = async (): Promise<unknown[]> => {
    const tables = ['fleet_minutes', 'fleet_hours', 'fleet_days']
    const of = (table: string): string => `
      SELECT sum(count)::int AS count FROM mercurius_performance.${table}
        JOIN mercurius_performance.series ON series.id = series WHERE name = 'Query.users'`
    return Promise.all(tables.map(async table => (await database.query<{ count: unknown }>(of(table)))[0]?.count))
  }
  const change = (data: Buffer) =>
    database.query<{ data: Buffer }>('UPDATE mercurius_performance.minutes SET data = $2 WHERE at = $1', [
      new Date(spoilt),
      data
    ])
  const [row] = await database.query<{ data: Buffer }>('SELECT data FROM mercurius_performance.minutes WHERE at = $1', [
    new Date(spoilt)
  ])
  await change(Buffer.from('spoilt'))
  await t.rejects(compact(database, retention, now), { code: /^Z_/ }, 'and it is said')
  t.strictSame(await counts(), [2, 2, 2])
  await change(row?.data ?? Buffer.alloc(0))
  t.equal(await compact(database, retention, now), true)
  t.strictSame(await counts(), [3, 3, 3], 'until it can be')
})

test('what came after a page of minutes that cannot be merged is merged all the same', { timeout: 60_000 }, async t => {
  const { database, writers, write, now, retention } = await setUp(t)
  const first = floorTo(DAY, now) - 4 * HOUR
  const BAD = 70
  for (let index = 0; index < BAD + 20; index += 1) await write(first + index * MINUTE, writers[0] ?? 0)
  await database.query('UPDATE mercurius_performance.minutes SET data = $2 WHERE at < $1', [
    new Date(first + BAD * MINUTE),
    Buffer.from('spoilt')
  ])
  await t.rejects(compact(database, retention, now), { code: /^Z_/ })
  const [merged] = await database.query<{ minutes: number; hours: number }>(`
    SELECT (SELECT count(DISTINCT at)::integer FROM mercurius_performance.fleet_minutes) AS minutes,
           (SELECT count(DISTINCT at)::integer FROM mercurius_performance.fleet_hours) AS hours`)
  t.strictSame(merged, { minutes: 20, hours: 1 })
})
