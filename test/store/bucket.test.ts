import { test } from 'tap'
import { BUCKET_LIMIT, bucketOf, bucketValue, calculatedBucketOf, LOWEST_BUCKET } from '../../src/store/bucket.js'
import { seededRandom } from '../random.js'

const random = seededRandom(6)

test('a bucket holds what OpenTelemetry says it holds: above its lower bound, up to its upper bound, in seconds', t => {
  const values = [1, 2, 3, 1000, 2 ** 20, 2 ** 20 + 1, 123_456_789, 1e9, 2 ** 46]
  for (const value of [...values, ...Array.from({ length: 1000 }, () => Math.ceil(2 ** (47 * random())))]) {
    const bucket = bucketOf(value)
    const seconds = value / 1e9
    t.ok(2 ** (bucket / 64) < seconds * (1 + 1e-12) && seconds <= 2 ** ((bucket + 1) / 64) * (1 + 1e-12), String(value))
    t.ok(Math.abs(bucketValue(bucket) - value) / value < 0.006)
  }
  t.end()
})

test('a duration that is a bound itself, as 2 s, lies below it, and the next nanosecond above', t => {
  for (let power = -9; power <= 17; power += 1) {
    const bound = 2 ** power * 1e9
    t.equal(bucketOf(bound), 64 * power - 1, `${bound} ns`)
    if (power < 14) t.equal(bucketOf(bound + 1), 64 * power, `${bound} ns and one more`)
    t.equal(bucketOf(bound - 1), 64 * power - 1)
  }
  t.end()
})

test('every bucket from the lowest to the highest can be reached, and none beside them', t => {
  t.equal(bucketOf(1), LOWEST_BUCKET)
  t.equal(bucketOf(Number.MAX_SAFE_INTEGER), LOWEST_BUCKET + BUCKET_LIMIT - 1)
  t.equal(bucketOf(2 ** 47 - 1), LOWEST_BUCKET + BUCKET_LIMIT - 1)
  t.end()
})

test('the bucket that is looked up is the one that is calculated, for each whole number', t => {
  const differing: number[] = []
  const compare = (value: number): void => {
    if (bucketOf(value) !== calculatedBucketOf(value)) differing.push(value)
  }
  for (let value = 1; value < 100_000; value += 1) compare(value)
  for (let bucket = bucketOf(1000); bucket < bucketOf(2 ** 33); bucket += 1) {
    const bound = Math.round(2 ** ((bucket + 1) / 64) * 1e9)
    for (let value = bound - 3; value <= bound + 3; value += 1) compare(value)
  }
  for (let power = 6; power < 34; power += 1) {
    // What begins with other bits is looked up elsewhere.
    for (let cell = 64; cell <= 128; cell += 1) {
      for (const beside of [-1, 0, 1]) compare(Math.ceil(cell * 2 ** (power - 6)) + beside)
    }
  }
  t.strictSame(differing, [])
  t.end()
})
