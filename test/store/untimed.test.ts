import { test } from 'tap'
import { seededRandom } from '../random.js'
import { call, recordResolver, storeWith } from './support.js'

test('calls that nobody timed are counted with their errors, also where none was timed at all', t => {
  const { store, read } = storeWith()
  for (let index = 0; index < 10; index += 1) store.countResolver('Query.issues', index < 3, 0)
  t.match(read().resolvers, [
    { count: 10, errorCount: 3, avgTime: 0, totalTime: 0, minTime: 0, p99Time: 0, recent: [] }
  ])
  recordResolver(store, 'Query.issues', call(0.2, true))
  store.countResolver('Query.issues', false, 0)
  const [row] = read({ recent: 32 }).resolvers
  t.match(row, { count: 12, errorCount: 4, avgTime: 0.2, minTime: 0.2, maxTime: 0.2 })
  t.ok(Math.abs((row?.totalTime ?? 0) - 12 * 0.2) < 1e-9, 'the timed one stands for all twelve')
  t.equal(row?.recent.length, 1, 'the times of the others are not made up')
  t.end()
})

test('an hour of which a part was sampled adds up to what the whole would', t => {
  const { store, clock, read } = storeWith()
  const random = seededRandom(5)
  let total = 0
  const times: number[] = []
  for (let step = 0; step < 200_000; step += 1) {
    if (step % 5000 === 0) clock.advance(60)
    const sampleEvery = step < 100_000 ? 1 : 16
    // Twice as slow under load.
    const seconds = (step < 100_000 ? 0.001 : 0.002) * (0.5 + random())
    if (random() * sampleEvery < 1) recordResolver(store, 'Query.issues', call(seconds))
    else store.countResolver('Query.issues', false, 0)
    total += seconds
    times.push(seconds)
  }
  times.sort((one, other) => one - other)
  const [row] = read().resolvers
  t.equal(row?.count, 200_000)
  t.ok(Math.abs((row?.totalTime ?? 0) / total - 1) < 0.02, `${row?.totalTime} for ${total}`)
  for (const [quantile, estimate] of [
    [0.5, row?.medianTime],
    [0.95, row?.p95Time]
  ] as const) {
    const truth = times[Math.floor(quantile * times.length)] ?? NaN
    t.ok(Math.abs((estimate ?? 0) / truth - 1) < 0.04, `p${quantile * 100}: ${estimate} for ${truth}`)
  }
  t.end()
})

test('counts stay exact while timed and untimed calls, reads, sweeps and slots come and go', t => {
  const random = seededRandom(11)
  for (const retention of [0, 1, 1.5, 100, 3600]) {
    const { store, clock, read } = storeWith(retention)
    const { width, slots } = store.window
    const calls: { at: number; failed: boolean; seconds: number | null }[] = []
    let newest = clock.monotonic()
    for (let step = 0; step < 3000; step += 1) {
      if (random() < 0.4) clock.advance((random() * 2 * width) / 1e9)
      if (random() < 0.02) clock.advance(retention * random() * 1.5)
      if (random() < 0.3) {
        store.sweep(1)
        newest = clock.monotonic()
      }
      const failed = random() < 0.3
      if (random() < 0.3) {
        const seconds = Math.round(10 ** (random() * 9)) / 1e9
        recordResolver(store, 'Query.issues', call(seconds, failed))
        newest = clock.monotonic()
        calls.push({ at: newest, failed, seconds })
      } else {
        store.countResolver('Query.issues', failed, 0)
        calls.push({ at: newest, failed, seconds: null })
      }
      if (random() > 0.3) continue
      const epoch = (at: number): number => Math.floor(at / width)
      const oldest = retention === 0 ? -Infinity : epoch(clock.monotonic()) - slots + 1
      const live = calls.filter(({ at }) => epoch(at) >= oldest)
      const times = live.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]))
      const [row] = read().resolvers
      newest = clock.monotonic()
      t.strictSame(
        [row?.count ?? 0, row?.errorCount ?? 0, row?.minTime ?? 0, row?.maxTime ?? 0],
        [
          live.length,
          live.filter(item => item.failed).length,
          times.length === 0 ? 0 : Math.min(...times),
          Math.max(0, ...times)
        ]
      )
    }
  }
  t.end()
})

test('changing the retention keeps what was counted', t => {
  const { store, clock, countOf } = storeWith(3600)
  for (let minute = 0; minute < 10; minute += 1) {
    clock.advance(60)
    store.sweep()
    for (let index = 0; index < 7; index += 1) store.countResolver('Query.issues', false, 0)
    if (minute % 3 === 0) recordResolver(store, 'Query.issues', call(0.1))
  }
  t.equal(countOf('Query.issues'), 74)
  store.setRetention(7200)
  t.equal(countOf('Query.issues'), 74)
  store.countResolver('Query.issues', false, 0)
  t.equal(countOf('Query.issues'), 75)
  t.end()
})
