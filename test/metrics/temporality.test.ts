import fc from 'fast-check'
import { test } from 'tap'
import { StoreMetricProducer } from '../../src/metrics/producer.js'
import { bucketOf } from '../../src/store/bucket.js'
import { seededRandom } from '../random.js'
import { call, recordResolver, storeWith } from '../store/support.js'
import { bucketsOf, collect, type Collected } from './support.js'

/** What is counted of everything together, or of one series. */
class Sum {
  count = 0
  nanoseconds = 0
  errors = 0
  readonly buckets = new Map<number, number>()

  add(count: number, seconds: number, errors: number, buckets: Iterable<readonly [number, number]>): this {
    this.count += count
    this.nanoseconds += Math.round(seconds * 1e9)
    this.errors += errors
    for (const [bucket, more] of buckets) this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + more)
    return this
  }

  /** Whether nothing of it is less than in `other`. */
  reaches(other: Sum): boolean {
    const { count, nanoseconds, errors, buckets } = other
    const areReached = [...buckets].every(([bucket, before]) => (this.buckets.get(bucket) ?? 0) >= before)
    return this.count >= count && this.nanoseconds >= nanoseconds && this.errors >= errors && areReached
  }

  get text(): string {
    const buckets = [...this.buckets].sort(([one], [other]) => one - other)
    return JSON.stringify([this.count, this.nanoseconds, this.errors, buckets])
  }
}

/** The points of a collection by series; one that began anew is another one. */
function sumsOf({ durations, errors }: Collected): Map<string, Sum> {
  const sums = new Map<string, Sum>()
  const at = (key: string, start: unknown): Sum => {
    const name = `${key} ${JSON.stringify(start)}`
    const sum = sums.get(name) ?? new Sum()
    sums.set(name, sum)
    return sum
  }
  for (const [key, { value, startTime }] of [...durations.values()].flatMap(points => [...points])) {
    at(key, startTime).add(value.count, value.sum ?? NaN, 0, bucketsOf(value))
  }
  for (const [key, { value, startTime }] of [...errors.values()].flatMap(points => [...points])) {
    at(key, startTime).add(0, 0, value, [])
  }
  return sums
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('call' as const), fc.nat(7), fc.nat(9)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('advance' as const), fc.nat(4), fc.nat(300)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('sweep' as const), fc.nat(3), fc.nat(1)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('collect' as const), fc.nat(2), fc.nat(1)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('retain' as const), fc.constantFrom(0, 1, 7, 60, 3600), fc.nat(1)) }
)

test('deltas add up to what was recorded, the whole never goes back, and its last word is what was recorded', async t => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 120 }),
    fc.constantFrom(0, 1, 60, 3600),
    async (steps, retention) => {
      const { store, clock } = storeWith(retention, 3)
      const options = { interval: 1e9 }
      const delta = new StoreMetricProducer(store, { ...options, temporality: 'delta' })
      const cumulative = new StoreMetricProducer(store, options)
      const recorded = new Sum()
      const deltas = new Sum()
      const known = new Map<string, Sum>()
      const collectBoth = async (which: number): Promise<void> => {
        if (which !== 1) {
          for (const [, { count, nanoseconds, errors, buckets }] of sumsOf(await collect(delta))) {
            deltas.add(count, nanoseconds / 1e9, errors, buckets)
          }
        }
        if (which === 2) return
        for (const [key, sum] of sumsOf(await collect(cumulative))) {
          const before = known.get(key)
          if (before !== undefined && !sum.reaches(before)) throw new Error(`${key} went back`)
          known.set(key, sum)
        }
      }
      for (const [what, one, other] of steps) {
        if (what === 'call') {
          const duration = Math.floor(11 ** other) - 1
          const measurement = { ...call(0, one % 3 === 0), duration }
          if (one > 4) store.recordOperation(`Operation${one}`, { type: 'query' }, measurement, 1)
          else recordResolver(store, `Query.field${one}`, measurement)
          const bucket = duration === 0 ? -Infinity : bucketOf(duration)
          recorded.add(1, duration / 1e9, one % 3 === 0 ? 1 : 0, [[bucket, 1]])
        } else if (what === 'advance') clock.advance(other / (1 + one))
        else if (what === 'sweep') store.sweep(one === 0 ? Infinity : one)
        else if (what === 'collect') await collectBoth(one)
        else store.setRetention(one)
      }
      await collectBoth(0)
      const whole = new Sum()
      for (const { count, nanoseconds, errors, buckets } of known.values()) {
        whole.add(count, nanoseconds / 1e9, errors, buckets)
      }
      if (deltas.text !== recorded.text) throw new Error(`deltas: ${deltas.text} for ${recorded.text}`)
      if (whole.text !== recorded.text) throw new Error(`the whole: ${whole.text} for ${recorded.text}`)
    }
  )
  await fc.assert(property, { numRuns: 300, seed: 8 })
  t.pass('300 histories')
})

test('the whole of a day does not go back when an hour of it is kept', async t => {
  const { store, clock } = storeWith(3600)
  const producer = new StoreMetricProducer(store)
  let before = new Sum()
  for (let minute = 1; minute <= 1440; minute += 1) {
    clock.advance(60)
    store.sweep()
    if (minute % 3 !== 0) recordResolver(store, 'Query.issues', call((minute % 17) / 100, minute % 5 === 0))
    if (minute % 10 !== 0) continue
    const sums = [...sumsOf(await collect(producer)).values()]
    const [now = new Sum()] = sums
    t.ok(sums.length === 1 && now.reaches(before) && now.count > before.count)
    before = now
  }
  t.equal(before.count, 960)
})

test('sums beyond 2^53 ns, which are rounded, do not go back either', async t => {
  const { store, clock } = storeWith(60)
  const random = seededRandom(3)
  const producer = new StoreMetricProducer(store)
  let before = 0
  for (let step = 0; step < 3000; step += 1) {
    const duration = Math.floor(random() * 2 ** 23) * 2 ** 21 + Math.floor(random() * 2 ** 21)
    // Where nothing is added, an old slot that leaves is all that changes.
    if (random() < 0.7) recordResolver(store, 'Query.issues', { ...call(0), duration })
    clock.advance(2 * random())
    const point = [...(await collect(producer)).durations.values()][0]?.values().next().value
    const sum = point?.value.sum ?? 0
    if (!(sum >= before)) t.fail(`${sum} after ${before}`)
    before = sum
  }
  t.ok(before > 2 ** 53 / 1e9)
})
