import { test } from 'tap'
import {
  amountOf,
  increase,
  NOTHING,
  plus,
  sketchOf,
  type JsonHistogram
} from '../../src/history/prometheus/amounts.js'
import { Merger } from '../../src/store/quantiles.js'
import { bucketOf } from '../../src/store/bucket.js'
import { Sketch } from '../../src/store/sketch.js'
import { seededRandom } from '../random.js'

/** As the API of Prometheus writes what a sketch holds, at `scale`. */
function jsonOf(sketch: Sketch, scale: number): JsonHistogram {
  const width = 2 ** (6 - scale)
  const buckets = new Map<number, number>()
  for (const [offset, count] of [...sketch.counts].entries()) {
    const bucket = Math.floor((sketch.first + offset) / width)
    if (count > 0) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
  }
  const bound = (bucket: number): string => String(2 ** ((bucket * width) / 64))
  const zero = sketch.zeroCount
  return {
    count: String(sketch.count),
    sum: String(sketch.sum / 1e9),
    buckets: [
      ...(zero === 0 ? [] : [[3, '-1e-128', '1e-128', String(zero)] as const]),
      ...[...buckets].map(([bucket, count]) => [0, bound(bucket), bound(bucket + 1), String(count)] as const)
    ]
  }
}

function sketched(random: () => number, calls = 500): Sketch {
  const sketch = new Sketch()
  sketch.record(0, 2)
  // From a nanosecond to a day and a half.
  for (let index = 0; index < calls; index += 1) sketch.record(Math.max(1, Math.round(2 ** (47 * random()))))
  return sketch
}

const filled = ({ first, counts }: Sketch): [number, number][] =>
  [...counts].flatMap((count, offset): [number, number][] => (count === 0 ? [] : [[first + offset, count]]))

test('what Prometheus answers at full resolution is the sketch that was exported', t => {
  const sketch = sketched(seededRandom(1), 20_000)
  const found = sketchOf(amountOf(jsonOf(sketch, 6)))
  t.strictSame(filled(found), filled(sketch))
  t.strictSame([found.count, found.zeroCount, found.min], [sketch.count, sketch.zeroCount, 0])
  t.ok(Math.abs(found.sum / sketch.sum - 1) < 1e-12)
  t.ok(Math.abs(found.max / sketch.max - 1) < 0.006)
  t.end()
})

test('where the resolution was reduced or is finer, values stay within the bucket that they were in', t => {
  for (const scale of [5, 3, 0, -2]) {
    const sketch = new Sketch()
    const value = 1_234_567
    sketch.record(value)
    const { first, counts } = sketchOf(amountOf(jsonOf(sketch, scale)))
    const bucket = first + [...counts].findIndex(count => count > 0)
    const width = 2 ** (6 - scale)
    t.equal(Math.floor(bucket / width), Math.floor(bucketOf(value) / width), `scale ${scale}`)
  }
  for (let index = -700; index < 700; index += 1) {
    for (const finer of [2, 4]) {
      const [left, right] = [2 ** (index / 64 / finer), 2 ** ((index + 1) / 64 / finer)]
      const { buckets } = amountOf({ count: '1', sum: '1', buckets: [[0, String(left), String(right), '1']] })
      t.strictSame([...buckets], [[Math.floor(index / finer), 1]])
    }
  }
  t.end()
})

test('quantiles of what was added up are those of the union', t => {
  const random = seededRandom(2)
  const parts = [1, 2, 3].map(() => sketched(random))
  const union = new Merger()
  for (const part of parts) union.add(part)
  const sum = parts.map(part => amountOf(jsonOf(part, 6))).reduce(plus)
  const found = new Merger()
  found.add(sketchOf(sum))
  for (const [index, quantile] of union.quantiles([0.5, 0.9, 0.99]).entries())
    t.ok(Math.abs((found.quantiles([0.5, 0.9, 0.99])[index] ?? 0) / quantile - 1) < 0.01)
  t.end()
})

test('an increase is what came, and all there is where it was counted anew', t => {
  const random = seededRandom(3)
  const before = sketched(random)
  const after = new Sketch()
  after.merge(before)
  const came = sketched(random, 100)
  after.merge(came)
  const [first, second] = [amountOf(jsonOf(before, 6)), amountOf(jsonOf(after, 6))]
  t.strictSame(filled(sketchOf(increase(second, first))), filled(came))
  t.strictSame(increase(first, second), first, 'fewer')
  const elsewhere = {
    ...NOTHING,
    count: first.count + 1,
    zeroCount: first.zeroCount,
    buckets: new Map([[0, first.count]])
  }
  t.strictSame(increase(elsewhere, first), elsewhere, 'more, and in other buckets')
  t.strictSame(increase(first, NOTHING), first)
  t.end()
})
