import { test } from 'tap'
import type { PerformanceConfig } from '../../src/config.js'
import { resolveConfig } from '../../src/config.js'
import { readSnapshot } from '../../src/store/read.js'
import type { Snapshot, SnapshotOptions } from '../../src/store/snapshot.js'
import { Store } from '../../src/store/store.js'
import type { Measurement } from '../../src/spans/measurement.js'
import { manualClock } from '../clock.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { seededRandom } from '../random.js'

const config: PerformanceConfig = resolveConfig({})
const labels = { operation: 'SELECT', table: 'issues' }

function call(seconds: number, failed = false): Measurement {
  return { duration: Math.round(seconds * 1e9), failed, argsCount: 1, traceId: 'f'.repeat(32) }
}

function storeWith(retentionPeriod = 3600, seriesLimit = 2000) {
  const clock = manualClock()
  const store = new Store({ clock, retentionPeriod, seriesLimit })
  const read = (options: SnapshotOptions = {}): Snapshot => readSnapshot(store, config, options)
  return { clock, store, read, countOf: (name: string) => read({ name }).resolvers[0]?.count ?? 0 }
}

test('Core Components, Metrics Store: resolvers, queries and caches are kept apart and add up', t => {
  const { store, read } = storeWith()
  store.recordResolver('Issue.comments', call(0.2))
  store.recordResolver('Issue.comments', call(0.4, true))
  store.recordQuery('SELECT issues', labels, call(0.1))
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
    store.recordResolver('Query.issues', call(seconds))
  }
  const [row] = read().resolvers
  t.match(row, { count: 4, minTime: 0.1, maxTime: 1, totalTime: 1.6, avgTime: 0.4, lastExecutionTime: 1 })
  t.ok(Math.abs((row?.medianTime ?? 0) - 0.25) <= 0.0025, 'the mean of the two middle values, as in the document')
  t.equal(row?.lastExecution, '2026-01-01T00:00:04.000Z')
  t.end()
})

test('Data Retention: nothing older than the retention plus a slot is reported, nothing younger is lost', t => {
  for (const retention of [1, 7, 60, 3600, 86_400]) {
    const { store, clock, countOf } = storeWith(retention)
    const random = seededRandom(retention)
    const ends: number[] = []
    let now = 0
    const slot = Math.max(1, retention / 60)
    for (let step = 0; step < 2000; step += 1) {
      const seconds = random() * random() * slot * 3
      clock.advance(seconds)
      now += seconds
      store.recordResolver('Query.issues', call(0.01))
      ends.push(now)
      if (step % 50 === 0) store.sweep()
      const young = ends.filter(end => end > now - retention).length
      const old = ends.filter(end => end > now - retention - slot - 1e-3).length
      const count = countOf('Query.issues')
      if (count < young || count > old) t.fail(`retention ${retention}, step ${step}: ${young} <= ${count} <= ${old}`)
    }
    clock.advance(retention + slot + 1)
    t.equal(countOf('Query.issues'), 0, `retention ${retention}: all of it goes`)
  }
  t.end()
})

test('a retention of 0 keeps everything', t => {
  const { store, clock, countOf } = storeWith(0)
  for (let day = 0; day < 400; day += 1) {
    store.recordResolver('Query.issues', call(0.01, day % 2 === 0))
    clock.advance(86_400)
  }
  store.sweep()
  t.equal(countOf('Query.issues'), 400)
  t.end()
})

test('changing the retention keeps what is inside the new one', t => {
  const changes: [number, number][] = [
    [3600, 600],
    [3600, 7200],
    [600, 60],
    [60, 3600],
    [0, 600],
    [0, 86_400],
    [600, 0]
  ]
  for (const [before, after] of changes) {
    const { store, clock, countOf } = storeWith(before)
    const ages: number[] = []
    for (let second = 0; second < 3000; second += 1) {
      clock.advance(1)
      store.recordResolver('Query.issues', call(0.01))
      ages.push(2999 - second)
    }
    store.setRetention(after)
    const shortest = Math.min(before === 0 ? Infinity : before, after === 0 ? Infinity : after)
    const slack = Math.max(1, before === 0 ? 60 : before / 60) + Math.max(1, after / 60)
    const count = countOf('Query.issues')
    const young = ages.filter(age => age < shortest).length
    const old = ages.filter(age => age < shortest + slack + 2).length
    t.ok(count >= young && count <= old, `${before} -> ${after}: ${young} <= ${count} <= ${old}`)

    store.recordResolver('Query.issues', call(0.01))
    t.equal(countOf('Query.issues'), count + 1, 'and goes on counting')
    if (after === 0) continue
    clock.advance(after + slack)
    t.equal(countOf('Query.issues'), 0, 'and forgets in time')
  }
  t.end()
})

test('keeping everything, then keeping less, loses nothing that is young enough', t => {
  const { store, clock, countOf } = storeWith(0)
  for (let minute = 0; minute < 2000; minute += 1) {
    clock.advance(60)
    store.recordResolver('Query.issues', call(0.01))
  }
  t.equal(countOf('Query.issues'), 2000)
  store.setRetention(86_400)
  const kept = countOf('Query.issues')
  t.ok(kept >= 1440 && kept <= 2000, String(kept))
  t.end()
})

test('changing the retention again and again keeps nothing alive for longer, and lists no call that is not counted', t => {
  const { store, clock, read } = storeWith(3600)
  store.recordResolver('Query.issues', call(0.01))
  for (let change = 0; change < 200; change += 1) {
    clock.advance(30)
    store.setRetention(change % 2 === 0 ? 1800 : 3600)
    const [row] = read({ recent: 32 }).resolvers
    t.equal(row?.recent.length ?? 0, row?.count ?? 0)
  }
  t.strictSame(read().resolvers, [])
  t.end()
})

test('at any time the numbers are those of a naive model', t => {
  const random = seededRandom(99)
  for (const retention of [0, 1, 1.5, 59.5, 100, 3600]) {
    const { store, clock, read } = storeWith(retention)
    const { width, slots } = store.window
    const calls: { at: number; seconds: number; failed: boolean }[] = []
    for (let step = 0; step < 1500; step += 1) {
      if (random() < 0.5) clock.advance((random() * 2 * width) / 1e9)
      if (random() < 0.02) clock.advance(retention * random() * 1.5)
      if (random() < 0.3) store.sweep(1)
      const seconds = Math.round(10 ** (random() * 9)) / 1e9
      const failed = random() < 0.3
      store.recordResolver('Query.issues', call(seconds, failed))
      calls.push({ at: clock.monotonic(), seconds, failed })
      if (random() > 0.2) continue
      const epoch = (at: number): number => Math.floor(at / width)
      const oldest = retention === 0 ? -Infinity : epoch(clock.monotonic()) - slots + 1
      const live = calls.filter(({ at }) => epoch(at) >= oldest)
      const times = live.map(item => item.seconds)
      const [row] = read().resolvers
      const expected = {
        count: live.length,
        errorCount: live.filter(item => item.failed).length,
        minTime: Math.min(...times),
        maxTime: Math.max(...times)
      }
      const { count, errorCount, minTime, maxTime, totalTime } = row ?? { totalTime: NaN }
      t.strictSame({ count, errorCount, minTime, maxTime }, expected)
      t.ok(Math.abs(totalTime - times.reduce((sum, time) => sum + time, 0)) < 1e-6 * totalTime)
    }
  }
  t.end()
})

test('a wall clock that steps an hour neither loses nor invents anything', t => {
  const { store, clock, countOf, read } = storeWith(600)
  store.recordResolver('Query.issues', call(0.01))
  clock.step(3600)
  clock.advance(10)
  store.recordResolver('Query.issues', call(0.01))
  clock.step(-7200)
  t.equal(countOf('Query.issues'), 2)
  const recent = read({ recent: 2 }).resolvers[0]?.recent ?? []
  const [newer, older] = recent.map(({ timestamp }) => Date.parse(timestamp))
  t.equal((newer ?? 0) - (older ?? 0), 10_000, 'times shown are those of the clock now')
  t.end()
})

test('the last 32 calls of a series are listed newest first, within the retention', t => {
  const { store, clock, read } = storeWith(60)
  for (let index = 0; index < 40; index += 1) {
    clock.advance(1)
    store.recordQuery('SELECT issues', labels, call(index / 1000, index === 39))
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
  for (let index = 0; index < 100; index += 1) store.recordResolver(`Type.field${index}`, call(0.001))
  const before = read().resolvers
  for (let index = 0; index < 5000; index += 1) store.recordResolver(`Attack.field${index}`, call(0.001))
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

test('a series that has expired makes room for a new one', t => {
  const { store, clock, read } = storeWith(60, 2)
  store.recordResolver('A.a', call(0.001))
  store.recordResolver('B.b', call(0.001))
  clock.advance(30)
  store.recordResolver('B.b', call(0.001))
  clock.advance(40)
  store.sweep()
  store.recordResolver('C.c', call(0.001))
  t.strictSame(
    read()
      .resolvers.map(({ name }) => name)
      .sort(),
    ['B.b', 'C.c']
  )
  t.end()
})

test('names that JavaScript objects know by themselves are names like any other', t => {
  const { store, read } = storeWith()
  const names = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'half a pair \ud83d']
  for (const name of names) {
    store.recordResolver(name, call(0.001))
    store.recordOperation(name, { type: 'query' }, call(0.001), 0)
    store.recordQuery(name, { operation: 'SELECT', table: name }, call(0.001))
    store.recordCache('hit', name, call(0.001))
  }
  const { resolvers, operations, queries, cache } = read()
  for (const rows of [resolvers, operations, queries, cache.byName]) {
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
  store.recordResolver('Query.issues', call(0.1))
  store.recordCache('hit', 'labels', call(0.1))
  const snapshot = read({ recent: 5 })
  t.strictSame(JSON.parse(JSON.stringify(snapshot)), snapshot)
  t.end()
})

test('Performance Impact, Efficient Storage: memory after 10 million measurements equals memory after 100 thousand', t => {
  const { store, clock } = storeWith(3600)
  const random = seededRandom(7)
  const names = Array.from({ length: 50 }, (_, index) => `Type.field${index}`)
  const record = (count: number, secondsApart: number): void => {
    for (let index = 0; index < count; index += 1) {
      if (index % 1000 === 0) clock.advance(secondsApart * 1000)
      store.recordResolver(names[index % names.length] ?? '', call(Math.exp(-8 + 3 * random())))
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
