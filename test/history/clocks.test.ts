import { test } from 'tap'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { PostgresReader } from '../../src/history/postgres/reader.js'
import { compact } from '../../src/history/postgres/compaction.js'
import { settingsFor } from './numbered.js'
import { startParts } from './parts.js'

const HOUR = 3600

/** `machine` steps the clock of this machine, `database` that of the database, in seconds. */
const steps = [
  { name: 'this machine an hour on', machine: HOUR, database: 0 },
  { name: 'this machine an hour back', machine: -HOUR, database: 0 },
  { name: 'the database an hour on', machine: 0, database: HOUR },
  { name: 'the database an hour back', machine: 0, database: -HOUR },
  { name: 'the database a minute back', machine: 0, database: -60 },
  { name: 'the database twenty hours on', machine: 0, database: 20 * HOUR }
]

for (const { name, machine, database: stepped } of steps) {
  test(`clocks step, ${name}: nothing is lost and no window doubled`, async t => {
    const parts = await startParts(t)
    await parts.measure(10)
    await parts.flush()
    await parts.pass(60)
    await parts.measure(10)
    await parts.flush()
    parts.clock.step(machine)
    await parts.step(stepped)
    for (let minute = 0; minute < 5; minute += 1) {
      await parts.pass(60)
      await parts.measure(10)
      await parts.flush()
    }
    const database = new HistoryDatabase(parts.url)
    t.teardown(() => database.close())
    const settings = settingsFor(parts.url, 'reader')
    const clock = new DatabaseClock(parts.clock)
    const [now] = await database.query<{ now: string }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now')
    clock.set(Number(now?.now))
    const reader = new PostgresReader(database, clock, settings)
    for (const merged of [false, true]) {
      for (let round = 0; merged && round < 3; round += 1)
        await compact(database, settings.retention, clock.now() + 2 * HOUR * 1000)
      const found = await reader.rollups(
        { kinds: ['resolvers'] },
        { from: clock.now() - 80 * HOUR * 1000, to: clock.now() + 2 * HOUR * 1000 }
      )
      const count = found.reduce((sum, { rollup }) => sum + rollup.times.count, 0)
      t.equal(count, 70, merged ? 'merged' : 'as it was written')
    }
  })
}
