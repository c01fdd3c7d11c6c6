import { test } from 'tap'
import { seededRandom } from '../random.js'
import { call, recordResolver, storeWith } from './support.js'

test('Data Retention: nothing older than the retention plus a slot is reported, nothing younger is lost', t => {
  for (const retention of [1, 7, 60, 65, 3600, 86_400]) {
    const { store, clock, countOf } = storeWith(retention)
    const random = seededRandom(retention)
    const ends: number[] = []
    let now = 0
    const slot = Math.max(1, retention / 60)
    for (let step = 0; step < 2000; step += 1) {
      const seconds = random() * random() * slot * 3
      clock.advance(seconds)
      now += seconds
      recordResolver(store, 'Query.issues', call(0.01))
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
    recordResolver(store, 'Query.issues', call(0.01, day % 2 === 0))
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
      recordResolver(store, 'Query.issues', call(0.01))
      ages.push(2999 - second)
    }
    store.setRetention(after)
    const shortest = Math.min(before === 0 ? Infinity : before, after === 0 ? Infinity : after)
    const slack = Math.max(1, before === 0 ? 60 : before / 60) + Math.max(1, after / 60)
    const count = countOf('Query.issues')
    const young = ages.filter(age => age < shortest).length
    const old = ages.filter(age => age < shortest + slack + 2).length
    t.ok(count >= young && count <= old, `${before} -> ${after}: ${young} <= ${count} <= ${old}`)

    recordResolver(store, 'Query.issues', call(0.01))
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
    recordResolver(store, 'Query.issues', call(0.01))
  }
  t.equal(countOf('Query.issues'), 2000)
  store.setRetention(86_400)
  const kept = countOf('Query.issues')
  t.ok(kept >= 1440 && kept <= 2000, String(kept))
  t.end()
})

test('changing the retention again and again keeps nothing alive for longer, and lists no call that is not counted', t => {
  const { store, clock, read } = storeWith(3600)
  recordResolver(store, 'Query.issues', call(0.01))
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
      recordResolver(store, 'Query.issues', call(seconds, failed))
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
  recordResolver(store, 'Query.issues', call(0.01))
  clock.step(3600)
  clock.advance(10)
  recordResolver(store, 'Query.issues', call(0.01))
  clock.step(-7200)
  t.equal(countOf('Query.issues'), 2)
  const recent = read({ recent: 2 }).resolvers[0]?.recent ?? []
  const [newer, older] = recent.map(({ timestamp }) => Date.parse(timestamp))
  t.equal((newer ?? 0) - (older ?? 0), 10_000, 'times shown are those of the clock now')
  t.end()
})

test('a measurement that comes late is counted once and leaves with the others', t => {
  const { store, clock, countOf } = storeWith(60)
  const late = clock.monotonic()
  const writer = store.callWriter('Query.issues')
  recordResolver(store, 'Query.issues', call(0.01))
  clock.advance(20)
  recordResolver(store, 'Query.issues', call(0.01))
  clock.advance(5)
  t.equal(countOf('Query.issues'), 2)
  writer.write(late, 10_000_000, false, 0, null, 0, 0, 10_000_000)
  recordResolver(store, 'Query.issues', call(0.01))
  t.equal(countOf('Query.issues'), 4)
  for (let second = 0; second < 70; second += 1) {
    clock.advance(1)
    const count = countOf('Query.issues')
    if (count < 0 || count > 4) t.fail(`${count} after ${second} s`)
  }
  t.equal(countOf('Query.issues'), 0)
  t.end()
})

test('a series that has expired makes room for a new one', t => {
  const { store, clock, read } = storeWith(60, 2)
  recordResolver(store, 'A.a', call(0.001))
  recordResolver(store, 'B.b', call(0.001))
  clock.advance(30)
  recordResolver(store, 'B.b', call(0.001))
  clock.advance(40)
  store.sweep()
  recordResolver(store, 'C.c', call(0.001))
  t.strictSame(
    read()
      .resolvers.map(({ name }) => name)
      .sort(),
    ['B.b', 'C.c']
  )
  t.end()
})
