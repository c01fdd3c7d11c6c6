import pg from 'pg'
import { test } from 'tap'
import { usePostgres } from '../postgres.js'
import { call, recordResolver } from '../store/support.js'
import { startInstance } from './instances.js'

const { BOOL, BYTEA, INT8, INT4, TEXT, TIMESTAMPTZ, JSONB } = pg.types.builtins
const TYPES = [BOOL, BYTEA, INT8, INT4, TEXT, TIMESTAMPTZ, JSONB]

test('what the application has the driver make of types does not matter, nor how the database writes dates', async t => {
  const { url } = await usePostgres(t, ['datestyle=German', 'timezone=Asia/Kolkata', 'bytea_output=escape'])
  for (const oid of TYPES) pg.types.setTypeParser(oid, () => 'hostile')
  const before = await startInstance(t, url, 'a')
  recordResolver(before.monitor.store, 'Query.issues', call(0.2))
  await before.history.flush()
  t.equal(before.history.report.state, 'WRITING')
  await before.history.compact()
  const { reader } = before.history
  const range = { from: Date.now() - 3_600_000, to: Date.now() + 60_000 }
  t.match(await reader.rollups({ kinds: ['resolvers'] }, range), [{ identity: { name: 'Query.issues' } }])
  const [instance] = await reader.instances()
  t.ok(Math.abs((instance?.lastSeen ?? 0) - Date.now()) < 60_000)
  t.equal(instance?.isReporting, true)
  await before.history.close()
  const after = await startInstance(t, url, 'a')
  for (let waited = 0; after.monitor.snapshot().resolvers.length === 0 && waited < 200; waited += 1) {
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  t.equal(after.monitor.snapshot().resolvers[0]?.count, 1)
})
