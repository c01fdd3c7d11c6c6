import pg from 'pg'
import { test, type Test } from 'tap'
import { compact } from '../../src/history/postgres/compaction.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { mergeWindow } from '../../src/history/postgres/merge.js'
import { makePartitions } from '../../src/history/postgres/partitions.js'
import { floorTo, HOURS, MINUTES } from '../../src/history/postgres/tables.js'
import { usePostgres } from '../postgres.js'
import { settingsFor } from './instances.js'
import { addLive, addMinute, addNames, addWriter, entryOf, prepare, resolverNamed } from './simulated.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ISSUES = resolverNamed('Query.issues')

/** Three calls of a minute, one of them of a process that was killed in it, whose hour is about to be dropped. */
async function setUp(t: Test) {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => Promise.all([database.close(), pool.end()]))
  const now = floorTo(HOUR, Date.now()) + 30 * MINUTE
  const hour = floorTo(HOUR, now) - 25 * HOUR
  const minute = hour + 50 * MINUTE
  const { retention } = settingsFor(url, 'a')
  await prepare(database, [hour + HOUR, now])
  await addNames(database, [ISSUES])
  const [one, other, killed] = [
    await addWriter(database, 'a'),
    await addWriter(database, 'b'),
    await addWriter(database, 'c')
  ]
  await addMinute(database, one, minute, [entryOf(ISSUES, [1])])
  await addMinute(database, other, minute, [entryOf(ISSUES, [2])])
  await addLive(database, killed, minute, [entryOf(ISSUES, [3])])
  await compact(database, retention, hour + 2 * HOUR)
  /** How many calls the fleet had in that minute and in that hour, and which partitions of the hour are there. */
  const held = async (): Promise<unknown> => {
    const digits = new Date(hour).toISOString().replace(/[-T]/g, '').slice(0, 10)
    const { rows } = await pool.query<{ minute: number | null; hour: number | null; partitions: string | null }>(
      `
        SELECT (SELECT sum(count)::int FROM mercurius_performance.fleet_minutes WHERE at = $1) AS minute,
               (SELECT sum(count)::int FROM mercurius_performance.fleet_hours WHERE at = $2) AS hour,
               (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
                WHERE relkind = 'r' AND relname ~ ('minutes_' || $3)) AS partitions
      `,
      [new Date(minute), new Date(hour), digits]
    )
    const [row] = rows
    return [row?.minute, row?.hour, row?.partitions?.replaceAll(`_${digits}`, '') ?? '']
  }
  return { database, pool, retention, now, hour, minute, one, held }
}

test('what was merged of a minute stays as long as it is kept, though the minute itself has been dropped', async t => {
  const { database, pool, retention, now, hour, minute, held } = await setUp(t)
  t.strictSame(await held(), [3, 3, 'fleet_minutes minutes'])
  // Somebody reads what was merged of it.
  await pool.query('BEGIN')
  t.strictSame(await held(), [3, 3, 'fleet_minutes minutes'])
  await compact(database, retention, now)
  await pool.query('COMMIT')
  t.strictSame(await held(), [3, 3, 'fleet_minutes'])
  await pool.query('BEGIN')
  await held()
  await compact(database, retention, now)
  await pool.query('COMMIT')
  t.strictSame(await held(), [3, 3, 'fleet_minutes'], 'what the killed process wrote last is not all of it')
  await database.transaction(client => mergeWindow(client, MINUTES, minute))
  t.strictSame(await held(), [3, 3, 'fleet_minutes'], 'nor where another instance was about to merge it')
  await compact(database, retention, now)
  t.strictSame(await held(), [null, 3, ''])
  await database.transaction(client => mergeWindow(client, HOURS, hour))
  t.strictSame(await held(), [null, 3, ''])
})

test('what a killed process wrote last counts for as long as its minute may be merged anew', async t => {
  const { database, pool, retention, now, one, held } = await setUp(t)
  await addMinute(database, one, now - HOUR, [])
  await pool.query(`UPDATE mercurius_performance.minutes SET data = 'spoilt' WHERE at = $1`, [new Date(now - HOUR)])
  // Nothing is dropped before all is merged.
  for (let round = 0; round < 2; round += 1) await t.rejects(compact(database, retention, now + HOUR))
  t.strictSame(await held(), [3, 3, 'fleet_minutes minutes'])
})

test('what a killed process wrote last counts for as long as somebody keeps its minute from being dropped', async t => {
  const { database, pool, retention, now, minute, held } = await setUp(t)
  const forgotten = now + 2 * HOUR
  await pool.query('BEGIN')
  await pool.query('SELECT FROM mercurius_performance.minutes WHERE at = $1', [new Date(minute)])
  for (let round = 0; round < 2; round += 1) await compact(database, retention, forgotten)
  await pool.query('COMMIT')
  t.strictSame(await held(), [3, 3, 'fleet_minutes minutes'])
  for (let round = 0; round < 2; round += 1) await compact(database, retention, forgotten)
  t.strictSame(await held(), [null, 3, ''], 'its hour has it for good')
  await compact(database, retention, forgotten + HOUR)
  const { rows } = await pool.query('SELECT FROM mercurius_performance.live')
  t.equal(rows.length, 0, 'and what it wrote last is forgotten once its minute is gone')
})

for (const hourIs of ['merged', 'damaged'] as const) {
  test(`minutes of an hour that is half dropped are not made anew, the hour being ${hourIs}`, async t => {
    const { database, pool, retention, now, hour, minute, held } = await setUp(t)
    let dropping = now
    if (hourIs === 'damaged') {
      // As if it could never be put together: it is dropped a day later all the same.
      await pool.query(`DELETE FROM mercurius_performance.merged WHERE tier = 'hour'`)
      await pool.query(`UPDATE mercurius_performance.fleet_minutes SET data = '' WHERE at = $1`, [new Date(minute)])
      dropping += 24 * HOUR
    }
    await pool.query('BEGIN')
    await pool.query('SELECT FROM mercurius_performance.fleet_minutes WHERE at = $1', [new Date(minute)])
    await compact(database, retention, dropping).catch(() => undefined)
    await pool.query('COMMIT')
    t.match(await held(), [3, 3, 'fleet_minutes'])
    // An instance was away that has a minute of it still.
    t.equal(await makePartitions(database, dropping, [minute]), hour + HOUR)
    t.match(await held(), [3, 3, 'fleet_minutes'])
  })
}
