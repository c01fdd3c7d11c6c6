import { test } from 'tap'
import type { Store } from '../../src/store/store.js'
import { storeWith } from './support.js'

const DURATION = 10_000_000

/** The writers that look their series up once, each of one series, and what it has counted. */
const writers = [
  [
    'a resolver',
    (store: Store, name: string) => {
      const writer = store.callWriter(name)
      return (): void => {
        writer.write(store.now(), DURATION, false, 0, null, 0, 0, DURATION)
      }
    },
    'resolvers'
  ],
  [
    'an operation',
    (store: Store, name: string) => {
      const writer = store.operationWriter(name, { type: 'query' })
      return (): void => {
        writer.write(store.now(), DURATION, false, null, 0)
      }
    },
    'operations'
  ]
] as const

for (const [what, writerOf, rows] of writers) {
  test(`${what} that was forgotten is counted anew when it comes back`, t => {
    const { store, clock, read } = storeWith(60)
    const write = writerOf(store, 'Board')
    write()
    write()
    t.match(read()[rows], [{ name: 'Board', count: 2 }])
    clock.advance(120)
    store.sweep()
    t.strictSame(read()[rows], [], 'it is forgotten')
    write()
    t.match(read()[rows], [{ name: 'Board', count: 1 }])
    t.end()
  })

  test(`${what} beyond the series limit is told to be so each time, and gets a place once there is one`, t => {
    const { store, clock, read } = storeWith(60, 1)
    writerOf(store, 'First')()
    const write = writerOf(store, 'Second')
    write()
    write()
    t.equal(store.overflowed, 2)
    t.match(
      read()[rows].map(({ name, count }) => ({ name, count })),
      [
        { name: 'First', count: 1 },
        { name: '(other)', count: 2 }
      ]
    )
    clock.advance(120)
    store.sweep()
    write()
    t.equal(store.overflowed, 2)
    t.match(read()[rows], [{ name: 'Second', count: 1 }])
    t.end()
  })
}

test('a series that was forgotten holds next to nothing, since who writes into it may keep it for long', t => {
  const { store, clock } = storeWith(60)
  const writer = store.operationWriter('Board', { type: 'query' })
  for (let second = 0; second < 50; second += 1) {
    for (let call = 1; call < 100; call += 1) writer.write(store.now(), call * DURATION, false, null, call)
    clock.advance(1)
  }
  const [series] = store.operations
  if (series === undefined) throw new Error('there is a series')
  const { window } = store
  t.ok(series.bytes(window, store.now()) > 20_000, 'a full one')
  clock.advance(120)
  store.sweep()
  t.strictSame([...store.operations], [], 'it is forgotten')
  t.ok(series.bytes(window, store.now()) < 2000)
  t.end()
})

test('a query and a mutation that share a name have a series each', t => {
  const { store, read } = storeWith()
  for (const type of ['query', 'mutation']) {
    store.operationWriter('Board', { type }).write(store.now(), DURATION, false, null, 1)
    store.recordOperation('Board', { type }, { duration: DURATION, failed: false, argsCount: null, traceId: null }, 1)
  }
  t.strictSame(
    read().operations.map(({ operationType, name, count }) => ({ type: operationType, name, count })),
    [
      { type: 'query', name: 'Board', count: 2 },
      { type: 'mutation', name: 'Board', count: 2 }
    ]
  )
  t.end()
})
