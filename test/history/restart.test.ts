import { test } from 'tap'
import { usePostgres } from '../postgres.js'
import { call, recordResolver, select, sent } from '../store/support.js'
import { startInstance, type Instance } from './instances.js'

function measure({ monitor: { store } }: Instance, seconds: number): void {
  recordResolver(store, 'Query.issues', { ...call(seconds), statements: 2 })
  store.recordQuery(select('issues'), sent(seconds, { rows: 1, resolver: 'Query.issues', operation: 'Board' }))
  store.recordOperation('Board', { type: 'query' }, call(seconds), 2)
  store.recordCache('hit', 'labels', call(seconds))
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue() && waited < 400; waited += 1) await new Promise(resolve => setTimeout(resolve, 25))
}

test('after a restart an instance shows what the one before it measured within the retention', async t => {
  const { url } = await usePostgres(t)
  const before = await startInstance(t, url, 'a')
  const other = await startInstance(t, url, 'b')
  measure(before, 0.2)
  measure(before, 0.4)
  measure(other, 9)
  await before.history.flush()
  await other.history.flush()
  await before.history.close()
  const after = await startInstance(t, url, 'a')
  measure(after, 0.3)
  const rows = () => after.monitor.snapshot({ recent: 10 })
  await until(() => rows().resolvers[0]?.count === 3)
  const { resolvers, queries, statements, operations, cache } = rows()
  t.match(resolvers, [
    { name: 'Query.issues', count: 3, sqlCount: 6, minTime: 0.2, maxTime: 0.4, medianTime: /^0\.(29|30)/ }
  ])
  t.match(queries, [{ name: 'SELECT issues', count: 3 }])
  t.match(statements, [{ count: 3, rows: 3, callers: [{ resolver: 'Query.issues', operation: 'Board', count: 3 }] }])
  t.match(operations, [{ name: 'Board', count: 3, queriesPerRequest: 2 }])
  t.match(cache, { hits: 3, byName: [{ name: 'labels', hits: 3 }] })
  t.equal(resolvers[0]?.recent.length, 1, 'of what was before no single calls are known')
  await after.history.flush()
  const [row] = await after.history.reader.rollups(
    { kinds: ['resolvers'], instance: 'a' },
    { from: Date.now() - 3_600_000, to: Date.now() + 60_000 }
  )
  t.equal(row?.rollup.times.count, 3, 'and it is not written again')
})

test('a longer retention keeps it', async t => {
  const { url } = await usePostgres(t)
  const before = await startInstance(t, url, 'a')
  measure(before, 0.2)
  await before.history.close()
  const after = await startInstance(t, url, 'a')
  const count = () => after.monitor.snapshot().resolvers[0]?.count ?? 0
  await until(() => count() === 1)
  after.monitor.configure({ retentionPeriod: 86_400 })
  t.equal(count(), 1)
  after.monitor.configure({ retentionPeriod: 0 })
  t.equal(count(), 1)
})
