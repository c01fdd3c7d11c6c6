import { test } from 'tap'
import { compact } from '../../src/history/postgres/compaction.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { floorTo } from '../../src/history/postgres/tables.js'
import { usePostgres } from '../postgres.js'
import { startParts } from './parts.js'
import { addMinute, addNames, addWriter, entryOf, prepare, resolverNamed } from './simulated.js'

const HOUR = 3600
const DAY = 24 * HOUR
const ISSUES = resolverNamed('Query.issues')

const others = [
  { minutes: DAY, hours: 30 * DAY, days: 400 * DAY },
  { minutes: DAY, hours: DAY, days: 400 * DAY }
]

for (const retention of others) {
  const kept = `${retention.hours / DAY} d of hours`
  test(`a service that keeps minutes for longer, and was away, takes nothing from the others (${kept})`, async t => {
    const parts = await startParts(t, { minutes: 7 * DAY })
    const database = new HistoryDatabase(parts.url)
    t.teardown(() => database.close())
    await parts.measure(10)
    await parts.flush()
    const other = await addWriter(database, 'other')
    await addNames(database, [ISSUES])
    await addMinute(database, other, floorTo(60_000, parts.clock.wall()), [entryOf(ISSUES, [1, 1, 1])])
    const merge = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) await compact(database, retention, parts.clock.wall())
    }
    /** How many measurements the table has of before the day that it is by now. */
    const earlier = async (table: string): Promise<unknown> => {
      const { rows } = await parts.pool.query<{ count: number | null }>(
        `SELECT sum(count)::int AS count FROM mercurius_performance.${table} WHERE at < $1`,
        [new Date(floorTo(DAY * 1000, parts.clock.wall()))]
      )
      return rows[0]?.count
    }
    // What waits to be written is of the same hour as what is merged already.
    await parts.pass(60)
    await parts.measure(5)
    await parts.pass(2 * HOUR)
    await merge()
    await parts.pass(3 * DAY)
    await merge()
    const before = [await earlier('fleet_hours'), await earlier('fleet_days')]
    t.strictSame(before, [retention.hours === DAY ? null : 3 + 30, 3 + 30])
    await parts.measure(5)
    t.equal(parts.recorder.waiting.length, 2)
    await parts.flush()
    await merge()
    t.strictSame([await earlier('fleet_hours'), await earlier('fleet_days')], before)
    t.equal(parts.recorder.dropped, 2, 'what came too late for the others is counted')
    await parts.pass(60)
    await parts.measure(1)
    await parts.flush()
    t.strictSame([parts.recorder.dropped, parts.outcomes.at(-1)], [2, 'written'], 'and it goes on')
  })
}

test('a service that keeps minutes for longer writes what waited where nothing was measured meanwhile', async t => {
  const parts = await startParts(t, { minutes: 7 * DAY })
  await parts.measure(10)
  await parts.flush()
  const database = new HistoryDatabase(parts.url)
  t.teardown(() => database.close())
  const [retention] = others
  if (retention === undefined) throw new Error('no retention')
  for (const hours of [2, 3 * 24]) {
    await parts.pass(hours * HOUR)
    await parts.measure(1)
    await compact(database, retention, parts.clock.wall())
  }
  await parts.flush()
  t.equal(parts.recorder.dropped, 1, 'of the first minute others have dropped all')
  t.equal((await parts.held()).resolvers?.count, 1, 'of the second there was nothing to drop')
})

test('where days are kept for a week, nothing is made only to be dropped again', async t => {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  const retention = { minutes: DAY, hours: 7 * DAY, days: 7 * DAY }
  const partition = 32 * DAY * 1000
  // The days of the partition before are too old by then.
  const now = floorTo(partition, Date.now()) + 20 * DAY * 1000
  await prepare(database, [now])
  for (let round = 0; round < 2; round += 1) await compact(database, retention, now)
  await database.query(`
    CREATE TABLE made ();
    CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO made DEFAULT VALUES; END';
    CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION note();
  `)
  for (let round = 0; round < 2; round += 1) await compact(database, retention, now)
  const made = await database.query('SELECT FROM made')
  t.equal(made.length, 0)
})
