import { test } from 'tap'
import { compact } from '../../src/history/postgres/compaction.js'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { mergeWindow } from '../../src/history/postgres/merge.js'
import { PostgresReader } from '../../src/history/postgres/reader.js'
import { DAYS, floorTo, HOURS, MINUTES } from '../../src/history/postgres/tables.js'
import { systemClock } from '../../src/lib/clock.js'
import { usePostgres } from '../postgres.js'
import { settingsFor } from './instances.js'
import { addMinute, addNames, addWriter, entryOf, prepare, resolverNamed } from './simulated.js'

const ISSUES = resolverNamed('Query.issues')

test('what comes late is told before, while and after its minute, its hour and its day are merged again', async t => {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  const settings = settingsFor(url, 'a')
  const retention = { ...settings.retention, minutes: 3 * 86_400 }
  const reader = new PostgresReader(database, new DatabaseClock(systemClock), { ...settings, retention })
  const now = Date.now()
  const day = floorTo(DAYS.width, now) - DAYS.width
  const [early, late, alone] = [day + HOURS.width, day + HOURS.width + MINUTES.width, day + 5 * HOURS.width]
  await prepare(database, [early + HOURS.width, alone + HOURS.width])
  await addNames(database, [ISSUES])
  const writer = await addWriter(database, 'a')
  const counts = async (): Promise<unknown> => {
    const found: unknown[] = []
    for (const width of [HOURS.width, DAYS.width]) {
      const from = floorTo(width, early)
      const [row] = await reader.rollups({ kinds: ['resolvers'] }, { from, to: from + width })
      found.push(row?.rollup.times.count)
    }
    return found
  }
  await addMinute(database, writer, early, [entryOf(ISSUES, [1, 1])])
  await compact(database, retention, now)
  t.strictSame(await counts(), [2, 2])
  await addMinute(database, writer, late, [entryOf(ISSUES, [1, 1, 1])])
  t.strictSame(await counts(), [5, 5])
  await addMinute(database, writer, alone, [entryOf(ISSUES, [1])])
  t.strictSame(await counts(), [5, 6], 'of an hour in which nothing was measured before too')
  const windows = [
    [MINUTES, late],
    [MINUTES, alone],
    [HOURS, early],
    [HOURS, alone],
    [DAYS, day]
  ] as const
  for (const [tier, at] of windows) {
    await database.transaction(client => mergeWindow(client, tier, floorTo(tier.width, at)))
    t.strictSame(await counts(), [5, 6], `${tier.name} ${new Date(at).toISOString()} is merged again`)
  }
  const [{ days } = { days: 0 }] = await database.query<{ days: number }>(
    `SELECT count(*)::int AS days FROM mercurius_performance.merged WHERE tier = 'day' AND weight = 6`
  )
  t.equal(days, 1, 'all of it is in the day in the end')
})
