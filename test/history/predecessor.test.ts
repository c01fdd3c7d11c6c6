import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { Predecessor } from '../../src/history/postgres/predecessor.js'
import { readSnapshot } from '../../src/store/read.js'
import { Store } from '../../src/store/store.js'
import { settingsFor } from './numbered.js'
import { startParts } from './parts.js'

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
  const countOf = (): number => {
    const config = resolveConfig({})
    return readSnapshot(earlier, config, {}).resolvers[0]?.count ?? 0
  }
  for (let attempt = 0; attempt < 3; attempt += 1) await t.rejects(predecessor.restoreInto(earlier, []))
  await parts.pool.query('UPDATE mercurius_performance.live SET data = $1', [rows[0]?.data])
  t.equal(await predecessor.restoreInto(earlier, []), false)
  await predecessor.restoreInto(earlier, [])
  t.equal(countOf(), 20)
})
