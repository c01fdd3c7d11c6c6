import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { usePostgres } from '../postgres.js'
import { call, recordResolver } from '../store/support.js'
import { startInstance } from './instances.js'

test('what is measured again after a long time keeps its name, and only what nobody measures loses it', async t => {
  const { url } = await usePostgres(t)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => pool.end())
  const names = async (): Promise<string[]> =>
    (await pool.query<{ name: string }>('SELECT name FROM mercurius_performance.series ORDER BY name')).rows.map(
      ({ name }) => name
    )
  const before = await startInstance(t, url, 'a')
  for (const name of ['Query.issues', 'Query.users']) recordResolver(before.monitor.store, name, call(0.1))
  await before.history.close()
  t.strictSame(await names(), ['Query.issues', 'Query.users'])
  // As if that had been long ago.
  await pool.query(`UPDATE mercurius_performance.series SET last_day = '2020-01-01'`)
  const after = await startInstance(t, url, 'a')
  recordResolver(after.monitor.store, 'Query.issues', call(0.1))
  await after.history.flush()
  // It may be at it by itself right now, and only one is at a time.
  for (let turn = 0; turn < 50 && (await names()).length > 1; turn += 1) {
    await after.history.compact()
    await delay(100)
  }
  t.strictSame(await names(), ['Query.issues'])
})
