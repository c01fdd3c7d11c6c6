import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
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
import { settingsFor } from './numbered.js'
import { startParts } from './parts.js'
import { addLive, addMinute, addNames, addWriter, entryOf, prepare, resolverNamed, SERVICE } from './simulated.js'

const config = resolveConfig({})

test('what was measured before is taken over once, whatever fails on the way', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.pass(60)
  await parts.measure(10)
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
  for (let attempt = 0; attempt < 3; attempt += 1) await t.rejects(predecessor.restoreInto(earlier, []))
  await parts.pool.query('UPDATE mercurius_performance.live SET data = $1', [rows[0]?.data])
  t.equal(await predecessor.restoreInto(earlier, []), false)
  await predecessor.restoreInto(earlier, [])
  t.equal(countOf(), 20)
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
