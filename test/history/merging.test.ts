import { test } from 'tap'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { mergeWindow } from '../../src/history/postgres/merge.js'
import { floorTo, HOURS, MINUTES } from '../../src/history/postgres/tables.js'
import { usePostgres } from '../postgres.js'
import { addMinute, addNames, addWriter, entryOf, prepare, resolverNamed } from './simulated.js'

/** So many of a kind are kept in a window. */
const MOST = 10_000

test('calls that come late are counted once, whichever series they make the busiest', { timeout: 120_000 }, async t => {
  const { url } = await usePostgres(t)
  const database = new HistoryDatabase(url)
  t.teardown(() => database.close())
  const hour = floorTo(HOURS.width, Date.now()) - HOURS.width
  await prepare(database, [hour])
  const late = resolverNamed('Query.late')
  const all = [...Array.from({ length: MOST }, (_, index) => resolverNamed(`Query.r${index}`)), late]
  await addNames(database, all)
  const writers = [await addWriter(database, 'a'), await addWriter(database, 'b')] as const
  const held = async (): Promise<unknown> => {
    const found: unknown[] = []
    for (const tier of [MINUTES, HOURS]) {
      await database.transaction(client => mergeWindow(client, tier, hour), 'ISOLATION LEVEL REPEATABLE READ')
      const [row] = await database.query(
        `
          SELECT count(*)::int AS rows, sum(count)::int AS calls, sum(count) FILTER (WHERE overflow)::int AS others,
                 sum(count) FILTER (WHERE name = $1)::int AS late
          FROM mercurius_performance.${tier.table} JOIN mercurius_performance.series ON id = series
        `,
        [late.name]
      )
      found.push(row)
    }
    return found
  }
  await addMinute(
    database,
    writers[0],
    hour,
    all.map(identity => entryOf(identity, identity === late ? [1] : [1, 1]))
  )
  const before = { rows: MOST + 1, calls: 2 * MOST + 1, others: 1, late: null }
  t.strictSame(await held(), [before, before])
  await addMinute(database, writers[1], hour, [entryOf(late, [1, 1, 1, 1])])
  const after = { rows: MOST + 1, calls: 2 * MOST + 5, others: 2, late: 5 }
  t.strictSame(await held(), [after, after])
})
