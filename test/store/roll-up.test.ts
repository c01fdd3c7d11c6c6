import fc from 'fast-check'
import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { decodeRollup, encodeRollup } from '../../src/history/rollups/pack.js'
import { identityKey } from '../../src/store/identity.js'
import { snapshotOf } from '../../src/store/merged.js'
import { restore, rollUp, startRollingUp, type SeriesRollup } from '../../src/store/roll-up.js'
import type { SeriesSnapshot, StoreSnapshot } from '../../src/store/snapshot.js'
import { Store } from '../../src/store/store.js'
import { call, recordResolver, select, sent, storeWith } from './support.js'

const config = resolveConfig({})

/** All that comes to a store, taken bit by bit, beside a store that keeps everything. */
function rolledUp(retentionPeriod: number, seriesLimit?: number) {
  const { store, clock } = storeWith(retentionPeriod, seriesLimit)
  const reference = new Store({ clock, retentionPeriod: 0, ...(seriesLimit !== undefined && { seriesLimit }) })
  const taken: SeriesRollup[] = []
  startRollingUp(store)
  store.collectors.collected(taken, store.now())
  const take = (): void => {
    for (const came of rollUp(store)) {
      if (came === undefined) continue
      // As if it had been written and read again.
      const { kind } = came.identity
      taken.push({ identity: came.identity, ...decodeRollup(encodeRollup(came), kind) })
      came.rollup.sums.reset()
    }
    store.collectors.collected(taken, store.now())
  }
  const both = (record: (store: Store) => void): void => {
    record(store)
    record(reference)
  }
  const total = (): StoreSnapshot => snapshotOf(taken, clock, config, {})
  const expected = (): StoreSnapshot => {
    const all: SeriesRollup[] = []
    startRollingUp(reference)
    for (const came of rollUp(reference)) if (came !== undefined) all.push(came)
    return snapshotOf(all, clock, config, {})
  }
  return { store, clock, reference, taken, take, both, total, expected }
}

/** Without what depends on when it is asked. */
function comparable(snapshot: StoreSnapshot): unknown {
  const rows = (series: readonly SeriesSnapshot[]): unknown =>
    [...series]
      .map(row => ({ ...row, lastExecution: null, lastExecutionTime: 0, recent: [] }))
      .map(row => ({ ...row, key: JSON.stringify(row) }))
      .sort((one, other) => (one.key < other.key ? -1 : 1))
  const { resolvers, queries, statements, operations, cache } = snapshot
  const plain = resolvers.map(row => ({ ...row, batches: null }))
  const batches = resolvers.flatMap(({ name, batches }) => (batches === null ? [] : [{ ...batches, name }]))
  return JSON.parse(
    JSON.stringify([plain, batches, queries, statements, operations].map(rows).concat([cache]))
  ) as unknown
}

test('what is taken bit by bit adds up to all that was measured', t => {
  const { clock, store, take, both, total } = rolledUp(60)
  let sum = 0
  for (let index = 1; index <= 300; index += 1) {
    sum += index
    both(into => {
      recordResolver(into, 'Query.issues', {
        ...call(index / 1000, index % 3 === 0),
        statements: 2,
        sqlTime: 1e6,
        selfTime: 5e5
      })
    })
    clock.advance(7)
    if (index % 4 === 0) take()
    if (index % 11 === 0) store.sweep()
  }
  take()
  const [row] = total().resolvers
  t.match(row, { name: 'Query.issues', count: 300, errorCount: 100, minTime: 0.001, maxTime: 0.3, sqlCount: 600 })
  t.equal(Math.round((row?.totalTime ?? 0) * 1000), sum)
  t.equal(Math.round((row?.sqlTime ?? 0) * 1000), 300)
  t.ok(Math.abs((row?.p95Time ?? 0) / 0.285 - 1) < 0.01)
  t.end()
})

test('nothing comes twice, and nothing is told of a series to which nothing came', t => {
  const { store, clock } = storeWith()
  recordResolver(store, 'Query.issues', call(0.1))
  startRollingUp(store)
  const came = (): number => [...rollUp(store)].filter(found => found !== undefined).length
  t.equal(came(), 1)
  t.equal(came(), 0)
  clock.advance(10_000)
  store.sweep()
  t.equal(came(), 0, 'what leaves the window came before')
  t.end()
})

test('the extremes are those of what came since the last time', t => {
  const { store, clock } = storeWith()
  startRollingUp(store)
  const extremes = (): unknown[] => [...rollUp(store)].map(found => [found?.rollup.times.min, found?.rollup.times.max])
  recordResolver(store, 'Query.issues', call(0.001))
  recordResolver(store, 'Query.issues', call(5))
  t.strictSame(extremes(), [[1e6, 5e9]])
  clock.advance(1)
  recordResolver(store, 'Query.issues', call(0.123456789))
  t.strictSame(extremes(), [[123_456_789, 123_456_789]])
  t.end()
})

const step = fc.oneof(
  fc.record({ what: fc.constant('resolver' as const), name: fc.nat(3), ms: fc.nat(5000), failed: fc.boolean() }),
  fc.record({ what: fc.constant('untimed' as const), name: fc.nat(3), failed: fc.boolean() }),
  fc.record({ what: fc.constant('statements' as const), name: fc.nat(3) }),
  fc.record({ what: fc.constant('query' as const), table: fc.nat(3), ms: fc.nat(5000), by: fc.nat(40) }),
  fc.record({ what: fc.constant('operation' as const), name: fc.nat(3), ms: fc.nat(5000), sent: fc.nat(80) }),
  fc.record({ what: fc.constant('batch' as const), name: fc.nat(3), size: fc.nat(80) }),
  fc.record({ what: fc.constant('cache' as const), name: fc.nat(3), ms: fc.nat(50), hit: fc.boolean() }),
  fc.record({ what: fc.constant('advance' as const), seconds: fc.nat(200) }),
  fc.record({ what: fc.constant('retention' as const), seconds: fc.constantFrom(1, 30, 60, 3600, 0) }),
  fc.record({ what: fc.constant('take' as const) }),
  fc.record({ what: fc.constant('sweep' as const) })
)

test('whatever is measured, forgotten and reconfigured in between', t => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(1, 60, 3600, 0), (steps, retention) => {
      const { store, clock, take, both, total, expected } = rolledUp(retention)
      for (const each of steps) {
        if (each.what === 'advance') clock.advance(each.seconds)
        else if (each.what === 'retention') store.setRetention(each.seconds)
        else if (each.what === 'take') take()
        else if (each.what === 'sweep') store.sweep()
        else
          both(into => {
            record(into, each)
          })
      }
      take()
      t.strictSame(comparable(total()), comparable(expected()))
    }),
    { numRuns: 300 }
  )
  t.end()
})

test('a statement that turns out to be another one is not counted twice', t => {
  const { store, take, total } = rolledUp(3600)
  store.recordQuery(select('users', 'provisional'), sent(0.001))
  take()
  store.recordQuery(select('users', 'provisional'), sent(0.002))
  store.recordQuery({ ...select('users', 'settled'), formerly: 'provisional' }, sent(0.003))
  take()
  const rows = total().statements.map(({ fingerprint, count, minTime }) => [fingerprint, count, minTime])
  t.strictSame(rows.sort(), [
    ['provisional', 1, 0.001],
    ['settled', 2, 0.002]
  ])
  t.end()
})

test('names that objects have by themselves, and what came after the limit, keep apart', t => {
  const { both, take, total } = rolledUp(60, 2)
  for (const name of ['__proto__', 'constructor', 'toString', 'valueOf'])
    both(store => {
      store.recordCache('hit', name, call(0.001))
      store.recordOperation(name, { type: 'query' }, call(0.001), 3)
      store.recordOperation(name, { type: 'mutation' }, call(0.001), 3)
    })
  both(store => {
    store.recordCache('hit', '(other)', call(0.001))
  })
  take()
  const { cache, operations } = total()
  t.strictSame(
    cache.byName.map(({ name, hits }) => [name, hits]),
    [
      ['__proto__', 1],
      ['constructor', 1],
      ['(other)', 3]
    ]
  )
  t.equal(
    operations.reduce((sum, { count }) => sum + count, 0),
    8
  )
  t.end()
})

test('what was measured elsewhere ages as if it had been measured here', t => {
  const { store, taken, take } = rolledUp(3600)
  recordResolver(store, 'Query.issues', call(0.1))
  take()
  const [came] = taken
  if (came === undefined) throw new Error('nothing was taken')
  const here = storeWith(3600)
  const put = (secondsAgo: number): void => {
    restore(here.store, identityKey(came.identity), came, here.store.now() - secondsAgo * 1e9)
  }
  const count = (): number => here.read().resolvers.reduce((sum, row) => sum + row.count, 0)
  put(3500)
  t.equal(count(), 1)
  put(1800)
  put(7200)
  t.equal(count(), 2, 'what is too old is not taken')
  here.clock.advance(300)
  t.equal(count(), 1)
  here.clock.advance(1800)
  t.equal(count(), 0)
  t.end()
})

function record(
  store: Store,
  each: Exclude<
    typeof step extends fc.Arbitrary<infer Step> ? Step : never,
    { what: 'advance' | 'retention' | 'take' | 'sweep' }
  >
): void {
  switch (each.what) {
    case 'resolver':
      recordResolver(store, `Query.r${each.name}`, {
        ...call(each.ms / 1000, each.failed),
        statements: 1,
        sqlTime: 5,
        selfTime: 7
      })
      break
    case 'untimed':
      // Of its own: what a timed call stands for depends on the slots that each store has.
      store.countResolver(`Query.u${each.name}`, each.failed, 2)
      break
    case 'statements':
      store.addStatements(`Query.r${each.name}`, 1)
      break
    case 'query':
      store.recordQuery(
        select(`table${each.table}`),
        sent(each.ms / 1000, { rows: each.by, resolver: `Query.r${each.by}`, operation: null })
      )
      break
    case 'operation':
      store.recordOperation(`o${each.name}`, { type: 'query' }, call(each.ms / 1000), each.sent)
      break
    case 'batch':
      store.recordBatch(`Query.r${each.name}`, each.size, call(0.001))
      break
    case 'cache':
      store.recordCache(each.hit ? 'hit' : 'miss', `c${each.name}`, call(each.ms / 1000))
      break
  }
}
