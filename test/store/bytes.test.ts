import { test } from 'tap'
import type { Measurement } from '../../src/spans/measurement.js'
import { TraceReference } from '../../src/spans/resolvers/trace-id.js'
import { Store } from '../../src/store/store.js'
import { manualClock } from '../clock.js'
import { MEBIBYTE, retainedBytes } from '../heap.js'
import { seededRandom } from '../random.js'
import { recordResolver, select } from './support.js'

interface Fill {
  readonly name: string
  readonly series: number
  /** Minutes of the hour in which each has calls. */
  readonly slots: number
  readonly callsPerSlot: number
  /** How many powers of e one time is from another. */
  readonly spread: number
  readonly trace: () => Measurement['traceId']
}

const idRandom = seededRandom(4)
const text = (): string =>
  Array.from({ length: 4 }, () => (2 ** 31 + idRandom() * 2 ** 31).toString(16).slice(0, 8)).join('')

const fills: readonly Fill[] = [
  { name: 'a burst of names, one call each', series: 2000, slots: 1, callsPerSlot: 1, spread: 1, trace: text },
  { name: 'an hour of a steady service', series: 100, slots: 61, callsPerSlot: 20, spread: 1, trace: text },
  { name: 'an hour in which calls are rare', series: 500, slots: 61, callsPerSlot: 2, spread: 1, trace: () => null },
  { name: 'an hour of widely spread times', series: 100, slots: 61, callsPerSlot: 60, spread: 3, trace: text },
  { name: 'three hours, of which one is reported', series: 300, slots: 180, callsPerSlot: 5, spread: 2, trace: text },
  {
    name: 'many calls in ten minutes, ids not asked for',
    series: 500,
    slots: 10,
    callsPerSlot: 100,
    spread: 1,
    trace: () => new TraceReference()
  }
]

function filled({ series, slots, callsPerSlot, spread, trace }: Fill): Store {
  const clock = manualClock()
  const store = new Store({ clock, retentionPeriod: 3600 })
  const random = seededRandom(3)
  for (let slot = 0; slot < slots; slot += 1) {
    for (let index = 0; index < series; index += 1) {
      for (let call = 0; call < callsPerSlot; call += 1) {
        const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
        const duration = Math.round(Math.exp(13 + spread * normal))
        const measurement = { duration, failed: false, argsCount: 1, traceId: trace() }
        if (index % 2 === 0) recordResolver(store, `Type${index % 20}.field${index}`, measurement)
        else store.recordQuery(select(`table${index}`), { ...measurement, rows: 1, resolver: null, operation: null })
      }
    }
    clock.advance(60)
    store.sweep()
  }
  return store
}

for (const fill of fills) {
  test(`the memory that the store says it takes is what it takes, within 20%: ${fill.name}`, t => {
    filled({ ...fill, series: 10 })
    const before = retainedBytes()
    const store = filled(fill)
    const taken = retainedBytes() - before
    const ratio = store.bytes / taken
    t.comment(`${(store.bytes / MEBIBYTE).toFixed(1)} of ${(taken / MEBIBYTE).toFixed(1)} MiB: ${ratio.toFixed(2)}`)
    t.ok(ratio > 0.8 && ratio < 1.2, `${store.bytes} for ${taken}`)
    t.end()
  })
}

test('a store whose retention changes, with what is in it, takes no more than before', t => {
  const store = filled({ name: '', series: 50, slots: 30, callsPerSlot: 20, spread: 1, trace: () => null })
  const before = store.bytes
  for (const seconds of [7200, 3600, 7200, 3600]) store.setRetention(seconds)
  const ratio = store.bytes / before
  t.ok(ratio > 0.3 && ratio < 1.1, `${store.bytes} after ${before}`)
  t.end()
})

test('what has expired still takes memory, and is counted', t => {
  const clock = manualClock()
  const store = new Store({ clock, retentionPeriod: 60 })
  // Far apart, so that the buckets between them outweigh everything else.
  for (const duration of [1, 1e13])
    recordResolver(store, 'A.a', { duration, failed: false, argsCount: 0, traceId: null })
  clock.advance(30)
  const before = store.bytes
  clock.advance(60)
  const grown = store.bytes - before
  t.ok(grown > 2700 && grown < 3300, `${grown} bytes for 2,800 buckets`)
  t.end()
})

test('an empty store takes next to nothing, and so does one whose series have expired', t => {
  const clock = manualClock()
  const store = new Store({ clock, retentionPeriod: 60 })
  t.equal(store.bytes, 0)
  for (let index = 0; index < 100; index += 1) {
    recordResolver(store, `Type.field${index}`, { duration: 1e6, failed: false, argsCount: 0, traceId: null })
  }
  t.ok(store.bytes > 100_000)
  clock.advance(120)
  store.sweep()
  t.equal(store.bytes, 0)
  t.end()
})
