import fc from 'fast-check'
import { test } from 'tap'
import { readTotals, type Kind, type SeriesTotals } from '../../src/store/totals.js'
import type { Store } from '../../src/store/store.js'
import { bucketOf } from '../../src/store/bucket.js'
import { call, recordResolver, select, sent, storeWith } from './support.js'

function totalsOf<Of extends Kind>(store: Store, kind: Of): SeriesTotals<Of>[] {
  return [...readTotals(store, kind)]
}

function only(store: Store): SeriesTotals {
  const [totals, ...others] = totalsOf(store, 'resolvers')
  if (totals === undefined || others.length > 0) throw new Error('expected one series')
  return totals
}

/** What buckets hold, as text that can be compared. */
function contents({
  offset,
  counts,
  zeroCount
}: Pick<SeriesTotals, 'offset' | 'counts' | 'zeroCount'>): Map<number, number> {
  const filled = counts.flatMap((count, index): [number, number][] => (count > 0 ? [[offset + index, count]] : []))
  return new Map(zeroCount > 0 ? [[-Infinity, zeroCount], ...filled] : filled)
}

test('what a series has ever counted stays, whatever the retention lets go', t => {
  const { store, clock, countOf } = storeWith(60)
  const start = clock.monotonic()
  for (let minute = 1; minute <= 500; minute += 1) {
    recordResolver(store, 'Query.issues', call(minute / 1000, minute % 5 === 0))
    clock.advance(20)
    if (minute % 7 === 0) store.sweep()
    const { count, sum, min, max, errors } = only(store)
    t.strictSame([count, errors], [minute, Math.floor(minute / 5)])
    t.strictSame([sum, min, max], [((minute * (minute + 1)) / 2) * 1e6, 1e6, minute * 1e6])
  }
  t.ok(countOf('Query.issues') <= 4, 'while the snapshot tells of a minute')
  t.equal(only(store).start, start)
  t.end()
})

test('a series that is silent for longer than the retention is forgotten, and is another one when it comes back', t => {
  const { store, clock } = storeWith(60)
  recordResolver(store, 'Query.issues', call(0.1))
  const before = only(store)
  clock.advance(3600)
  t.equal(only(store).count, 1, 'until the sweep')
  store.sweep()
  t.strictSame(totalsOf(store, 'resolvers'), [])
  recordResolver(store, 'Query.issues', call(0.1))
  const after = only(store)
  t.equal(after.count, 1)
  t.equal(after.start - before.start, 3600e9)
  t.not(after.series, before.series)
  t.end()
})

test('what a collector has not seen is not forgotten; for one that has stopped asking nothing waits', t => {
  const { store, clock } = storeWith(60)
  const [quick, slow] = [{}, {}]
  store.collectors.collected(quick, store.now())
  store.collectors.collected(slow, store.now(), 1800e9)
  recordResolver(store, 'Query.issues', call(0.1))
  clock.advance(300)
  store.sweep()
  t.equal(totalsOf(store, 'resolvers').length, 1, 'neither has seen it')
  store.collectors.collected(quick, store.now())
  clock.advance(300)
  store.sweep()
  t.equal(totalsOf(store, 'resolvers').length, 1, 'one has not seen it')
  store.collectors.collected(slow, store.now(), 1800e9)
  store.sweep()
  clock.advance(1)
  store.sweep()
  t.equal(totalsOf(store, 'resolvers').length, 0, 'both have')

  recordResolver(store, 'Query.issues', call(0.1))
  store.collectors.collected(quick, store.now())
  clock.advance(900)
  store.sweep()
  t.equal(totalsOf(store, 'resolvers').length, 1, 'one of them is gone, the other asks every half an hour at least')
  clock.advance(1000)
  store.sweep()
  t.equal(totalsOf(store, 'resolvers').length, 0, 'both are gone')
  t.end()
})

test('what is counted in the moment of a collection waits for the next one', t => {
  const { store, clock } = storeWith(1)
  const collector = {}
  store.collectors.collected(collector, store.now())
  store.countResolver('Query.issues', true, 0)
  recordResolver(store, 'Query.issues', call(0.1))
  clock.advance(10)
  store.sweep()
  t.match(only(store), { count: 2, errors: 1 })
  t.end()
})

test('calls that were not timed come with the next timed one of their slot, and their errors at once', t => {
  const { store, clock } = storeWith(60)
  for (let index = 0; index < 3; index += 1) store.countResolver('Query.issues', true, 0)
  t.match(only(store), { count: 0, errors: 3 })
  recordResolver(store, 'Query.issues', call(0.1))
  t.match(only(store), { count: 4, errors: 3, sum: 4e8 })
  clock.advance(100)
  store.sweep()
  t.strictSame([...readTotals(store, 'resolvers')], [])
  t.end()
})

interface Recorded {
  count: number
  sum: number
  errors: number
  readonly buckets: Map<number, number>
}

test('any order of calls, sweeps, other retentions and statements that turn out to be one: nothing is lost', t => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant('call'), fc.nat(6), fc.nat(9)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('advance'), fc.nat(6), fc.nat(400)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('sweep'), fc.nat(3), fc.nat(1)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('retain'), fc.constantFrom(0, 1, 7, 60, 3600), fc.nat(1)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('same'), fc.nat(6), fc.nat(6)) }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.constantFrom(0, 1, 60, 3600), (steps, retention) => {
      const { store, clock } = storeWith(retention, 4)
      // Nothing is forgotten, for this one never asks again and never gives up.
      store.collectors.collected({}, store.now(), Infinity)
      const recorded: Recorded = { count: 0, sum: 0, errors: 0, buckets: new Map() }
      const record = (duration: number, failed: boolean, table: number, formerly?: number): void => {
        const statement = {
          ...select(`table${table}`),
          ...(formerly !== undefined && { formerly: select(`table${formerly}`).fingerprint })
        }
        store.recordQuery(statement, { ...sent(0), duration, failed })
        const bucket = duration === 0 ? -Infinity : bucketOf(duration)
        recorded.count += 1
        recorded.sum += duration
        recorded.errors += failed ? 1 : 0
        recorded.buckets.set(bucket, (recorded.buckets.get(bucket) ?? 0) + 1)
      }
      for (const [what, one, other] of steps) {
        if (what === 'call') record(Math.floor(11 ** other) - 1, one % 3 === 0, one)
        else if (what === 'advance') clock.advance(other / (1 + one))
        else if (what === 'sweep') store.sweep(one === 0 ? Infinity : one)
        else if (what === 'retain') store.setRetention(one)
        else if (one !== other) record(1000, false, one, other)
        for (const kind of ['statements', 'queries'] as const) {
          const found = totalsOf(store, kind)
          const buckets = new Map<number, number>()
          for (const totals of found) {
            for (const [bucket, count] of contents(totals)) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
          }
          const add = (value: (totals: SeriesTotals) => number): number =>
            found.reduce((sum, totals) => sum + value(totals), 0)
          const seen = {
            count: add(({ count }) => count),
            sum: add(({ sum }) => sum),
            errors: add(({ errors }) => errors)
          }
          const { buckets: expected, ...rest } = recorded
          if (JSON.stringify(seen) !== JSON.stringify(rest) || !sameCounts(buckets, expected)) return false
        }
      }
      return true
    }),
    { numRuns: 200, seed: 4 }
  )
  t.pass('200 histories')
  t.end()
})

function sameCounts(one: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): boolean {
  return one.size === other.size && [...one].every(([bucket, count]) => other.get(bucket) === count)
}
