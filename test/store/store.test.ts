import { test } from 'tap'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { seededRandom } from '../random.js'
import { call, recordResolver, select, sent, storeWith } from './support.js'

test('Core Components, Metrics Store: resolvers, queries and caches are kept apart and add up', t => {
  const { store, read } = storeWith()
  recordResolver(store, 'Issue.comments', call(0.2))
  recordResolver(store, 'Issue.comments', call(0.4, true))
  store.recordQuery(select('issues'), sent(0.1))
  store.recordOperation('IssueList', { type: 'query' }, call(1), 7)
  store.recordOperation('IssueList', { type: 'query' }, call(1), 2)
  store.recordCache('hit', 'labels', call(0.001))
  store.recordCache('miss', 'labels', call(0.1))
  store.recordCache('miss', 'projects', call(0.3))
  const { resolvers, queries, operations, cache } = read()
  t.match(resolvers, [{ name: 'Issue.comments', count: 2, errorCount: 1, totalTime: 0.6, minTime: 0.2, maxTime: 0.4 }])
  t.match(queries, [{ name: 'SELECT issues', queryType: 'SELECT', table: 'issues', count: 1 }])
  t.match(operations, [{ name: 'IssueList', operationType: 'query', count: 2, queriesPerRequest: 4.5 }])
  t.match(cache, { hits: 1, misses: 2, hitRatio: 1 / 3, missTimes: { totalTime: 0.4 } })
  t.match(cache.byName, [
    { name: 'labels', hits: 1, misses: 1 },
    { name: 'projects', hits: 0, misses: 1 }
  ])
  t.end()
})

test('Core Components, Metrics Aggregation: count, average, median, extremes, total, last execution', t => {
  const { store, clock, read } = storeWith()
  for (const seconds of [0.1, 0.2, 0.3, 1.0]) {
    clock.advance(1)
    recordResolver(store, 'Query.issues', call(seconds))
  }
  const [row] = read().resolvers
  t.match(row, { count: 4, minTime: 0.1, maxTime: 1, totalTime: 1.6, avgTime: 0.4, lastExecutionTime: 1 })
  t.ok(Math.abs((row?.medianTime ?? 0) - 0.25) <= 0.0025, 'the mean of the two middle values, as in the document')
  t.equal(row?.lastExecution, '2026-01-01T00:00:04.000Z')
  t.end()
})

test('the SQL of a resolver and the time it took itself are sums that leave with its calls', t => {
  const { store, clock, read } = storeWith(60)
  const of = (statements: number, sqlTime: number, selfTime: number) => ({ statements, sqlTime, selfTime })
  recordResolver(store, 'Issue.comments', { ...call(0.5), ...of(2, 3e8, 1e8) })
  clock.advance(30)
  recordResolver(store, 'Issue.comments', { ...call(0.3), ...of(1, 1e8, 15e7) })
  recordResolver(store, 'Issue.title', call(0.3))
  const { resolvers } = read()
  t.match(resolvers, [
    { sqlCount: 3, sqlTime: 0.4, selfTime: 0.25 },
    { sqlCount: 0, sqlTime: 0, selfTime: 0 }
  ])
  clock.advance(40)
  t.match(read().resolvers, [{ count: 1, sqlCount: 1, sqlTime: 0.1, selfTime: 0.15 }, { count: 1 }])
  t.end()
})

test('the last 32 calls of a series are listed newest first, within the retention', t => {
  const { store, clock, read } = storeWith(60)
  for (let index = 0; index < 40; index += 1) {
    clock.advance(1)
    store.recordQuery(select('issues'), sent(index / 1000, { failed: index === 39 }))
  }
  const recent = read({ recent: 32 }).queries[0]?.recent ?? []
  t.equal(recent.length, 32)
  t.match(recent[0], { executionTime: 0.039, failed: true, argsCount: 1, traceId: 'f'.repeat(32) })
  t.match(recent[31], { executionTime: 0.008 })
  t.equal(read({ recent: 3 }).queries[0]?.recent.length, 3)
  clock.advance(55)
  t.ok((read({ recent: 32 }).queries[0]?.recent.length ?? 99) <= 7, 'the old ones are not listed')
  t.end()
})

test('after the series limit everything new falls into one overflow series, and nothing is lost', t => {
  const { store, read } = storeWith(3600, 100)
  for (let index = 0; index < 100; index += 1) recordResolver(store, `Type.field${index}`, call(0.001))
  const before = read().resolvers
  for (let index = 0; index < 5000; index += 1) recordResolver(store, `Attack.field${index}`, call(0.001))
  const after = read().resolvers
  t.equal(after.length, 101)
  t.equal(after.find(({ name }) => name === '(other)')?.count, 5000)
  t.strictSame(
    after.filter(({ name }) => name !== '(other)'),
    before,
    'the series that were there are unchanged'
  )
  t.end()
})

test('names that JavaScript objects know by themselves are names like any other', t => {
  const { store, read } = storeWith()
  const names = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'half a pair \ud83d']
  for (const name of names) {
    recordResolver(store, name, call(0.001))
    store.recordOperation(name, { type: 'query' }, call(0.001), 0)
    store.recordQuery({ ...select(name), name }, sent(0.001))
    store.recordCache('hit', name, call(0.001))
  }
  const { resolvers, operations, queries, statements, cache } = read()
  for (const rows of [resolvers, operations, queries, statements, cache.byName]) {
    t.strictSame(
      rows.map(({ name }) => name),
      names
    )
  }
  t.equal(({} as Record<string, unknown>).count, undefined)
  t.end()
})

test('a query and a mutation of one name are two series', t => {
  const { store, read } = storeWith()
  store.recordOperation('Save', { type: 'query' }, call(0.1), 0)
  store.recordOperation('Save', { type: 'mutation' }, call(0.2), 0)
  t.equal(read().operations.length, 2)
  t.end()
})

test('a snapshot is plain data: it survives JSON unchanged', t => {
  const { store, read } = storeWith()
  recordResolver(store, 'Query.issues', call(0.1))
  store.recordQuery(select('issues'), sent(0.1, { rows: 3, resolver: 'Query.issues', operation: 'IssueList' }))
  store.recordOperation('IssueList', { type: 'query' }, call(0.1), 1)
  store.recordCache('hit', 'labels', call(0.1))
  const snapshot = read({ recent: 5 })
  t.strictSame(JSON.parse(JSON.stringify(snapshot)), snapshot)
  t.end()
})

test('Performance Impact, Efficient Storage: memory after 10 million measurements equals memory after 100 thousand', t => {
  const { store, clock } = storeWith(3600)
  const random = seededRandom(7)
  const writers = Array.from({ length: 50 }, (_, index) => store.callWriter(`Type.field${index}`))
  const record = (count: number, secondsApart: number): void => {
    for (let index = 0; index < count; index += 1) {
      if (index % 1000 === 0) clock.advance(secondsApart * 1000)
      const { duration, failed, traceId } = call(Math.exp(-8 + 3 * random()))
      writers[index % writers.length]?.write(clock.monotonic(), duration, failed, 1, traceId, 0, 0, duration)
    }
    store.sweep()
  }
  record(100_000, 0.1)
  const after100Thousand = retainedBytes()
  record(9_900_000, 0.1)
  const grown = retainedBytes() - after100Thousand
  t.comment(`${(grown / MEBIBYTE).toFixed(2)} MiB more after 10 million measurements`)
  t.ok(grown < MEBIBYTE, `grew by ${grown} bytes`)
  t.end()
})

test('SQL that comes after its call, in a slot of its own, leaves with the slot and takes nothing along', t => {
  const { store, clock, read, countOf } = storeWith(3600)
  const sqlOf = (): number => read({ name: 'Query.issues' }).resolvers[0]?.sqlCount ?? 0
  recordResolver(store, 'Query.issues', call(0.1))
  clock.advance(60)
  store.addStatements('Query.issues', 2)
  for (let minute = 0; minute < 200; minute += 1) {
    clock.advance(60)
    store.sweep()
    if (minute === 30) t.equal(sqlOf(), 2)
    if (minute >= 58) recordResolver(store, 'Query.issues', call(0.1))
  }
  t.equal(sqlOf(), 0)
  t.equal(countOf('Query.issues'), 61)
  t.equal(read({ name: 'Query.issues' }).resolvers[0]?.errorCount, 0)
  t.end()
})
