import { test } from 'tap'
import { Merger } from '../../src/store/quantiles.js'
import { bucketOf } from '../../src/store/bucket.js'
import { Sketch } from '../../src/store/sketch.js'
import { seededRandom } from '../random.js'

const quantiles = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]
const TOLERANCE = 0.01

const random = seededRandom(20260101)
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

const shapes: Record<string, () => number> = {
  uniform: () => Math.floor(random() * 1e9) + 1,
  lognormal: () => Math.max(1, Math.round(Math.exp(13 + 1.5 * normal()))),
  bimodal: () => (random() < 0.8 ? 5e4 + Math.floor(random() * 1e4) : 2e9 + Math.floor(random() * 1e8)),
  constant: () => 1_234_567,
  'nanoseconds, some of them zero': () => Math.floor(random() * 20)
}

/** The exact quantile of sorted values, interpolated as PostgreSQL's percentile_cont does. */
function exact(sorted: Float64Array, quantile: number): number {
  const rank = quantile * (sorted.length - 1)
  const low = Math.floor(rank)
  const lower = sorted[low] ?? NaN
  return lower + (rank - low) * ((sorted[Math.min(low + 1, sorted.length - 1)] ?? NaN) - lower)
}

function worstError(values: Float64Array, sketches: readonly Sketch[]): number {
  const merger = new Merger()
  for (const sketch of sketches) merger.add(sketch)
  const sorted = values.slice().sort()
  const estimates = merger.quantiles(quantiles)
  return Math.max(
    ...quantiles.map((quantile, index) => {
      const truth = exact(sorted, quantile)
      const estimate = estimates[index] ?? NaN
      return truth === 0 ? Math.abs(estimate) : Math.abs(estimate - truth) / truth
    })
  )
}

function sketchOf(values: Iterable<number>): Sketch {
  const sketch = new Sketch()
  for (const value of values) sketch.record(value)
  return sketch
}

test('a quantile is the same whichever was asked for before it', t => {
  const merger = new Merger()
  merger.add(sketchOf([1, 1000, 2_000_000, 3_000_000_000]))
  const [once, again, third] = merger.quantiles([0.5, 0.5, 0.4])
  t.ok(Math.abs((once ?? NaN) / 1_000_500 - 1) < TOLERANCE, String(once))
  t.equal(again, once)
  t.ok(Math.abs((third ?? NaN) / 400_800 - 1) < TOLERANCE, String(third))
  t.end()
})

for (const [shape, draw] of Object.entries(shapes)) {
  for (const count of [1, 2, 10, 100, 1000, 100_000, 1_000_000]) {
    test(`${shape}, ${count} values: quantiles within 1%, the rest exact, after any split and merge`, t => {
      const values = Float64Array.from({ length: count }, draw)
      const whole = sketchOf(values)
      t.ok(worstError(values, [whole]) <= TOLERANCE, 'in one sketch')
      t.equal(whole.count, count)
      t.equal(
        whole.sum,
        values.reduce((sum, value) => sum + value, 0)
      )
      t.equal(
        whole.min,
        values.reduce((least, value) => Math.min(least, value), Infinity)
      )
      t.equal(
        whole.max,
        values.reduce((most, value) => Math.max(most, value), 0)
      )

      const parts = Array.from({ length: 7 }, () => new Sketch())
      for (const value of values) parts[Math.floor(random() * parts.length)]?.record(value)
      t.ok(worstError(values, parts) <= TOLERANCE, 'read from seven parts')

      const merged = new Sketch()
      for (const part of parts) merged.merge(part)
      t.ok(worstError(values, [merged]) <= TOLERANCE, 'merged from seven parts')
      t.strictSame(summaryOf(merged), summaryOf(whole), 'merging loses nothing')
      t.end()
    })
  }
}

function summaryOf(sketch: Sketch): object {
  const buckets = [...sketch.counts].flatMap((count, offset): [number, number][] =>
    count > 0 ? [[sketch.first + offset, count]] : []
  )
  const { count, sum, min, max, zeroCount } = sketch
  return { count, sum, min, max, zeroCount, buckets }
}

test('counts, which are kept as if they were nanoseconds, are read as the whole numbers they were', t => {
  for (let count = 1; count <= 90; count += 1) {
    const merger = new Merger()
    // Smaller and larger ones around it, for the extremes are exact anyway.
    merger.add(sketchOf([0, count, 1000]))
    t.equal(Math.round(merger.quantiles([0.5])[0] ?? NaN), count)
  }
  t.end()
})

test('the buckets of a sum are those of its parts, without the empty ones around them', t => {
  const values = [1, 1, 5, 1000, 2_000_000, 2_000_000, 3 * 10 ** 9, 0]
  const merger = new Merger()
  merger.add(sketchOf(values.slice(0, 3)))
  merger.add(sketchOf(values.slice(3)))
  const { offset, counts } = merger.buckets()
  t.equal(merger.zeroCount, 1)
  t.strictSame(
    counts.flatMap((count, index) => (count > 0 ? [[offset + index, count]] : [])),
    [[bucketOf(1), 2], ...[5, 1000].map(value => [bucketOf(value), 1]), [bucketOf(2e6), 2], [bucketOf(3e9), 1]]
  )
  t.strictSame([counts[0], counts.at(-1)], [2, 1])
  const narrow = new Merger()
  narrow.add(sketchOf([1000, 1000]))
  t.strictSame(narrow.buckets(), { offset: bucketOf(1000), counts: [2] })
  t.strictSame(new Merger().buckets(), { offset: 0, counts: [] })
  t.end()
})

test('durations of days still count, and land in the last bucket', t => {
  const sketch = sketchOf([2 ** 47, 2 ** 50, Number.MAX_SAFE_INTEGER])
  const merger = new Merger()
  merger.add(sketch)
  t.equal(merger.count, 3)
  t.equal(sketch.max, Number.MAX_SAFE_INTEGER)
  t.ok((merger.quantiles([0.5])[0] ?? 0) <= Number.MAX_SAFE_INTEGER)
  t.end()
})

test('a bucket can pass 255, 65,535 and 2^32 calls', t => {
  const sketch = sketchOf(Array.from({ length: 300 }, () => 1000))
  for (let doubled = 0; doubled < 30; doubled += 1) {
    const copy = new Sketch()
    copy.merge(sketch)
    sketch.merge(copy)
  }
  t.equal(sketch.count, 300 * 2 ** 30)
  t.equal(
    [...sketch.counts].reduce((sum, count) => sum + count, 0),
    300 * 2 ** 30
  )
  t.end()
})

test('a reset sketch is as good as new', t => {
  const sketch = sketchOf([1, 5, 1e9])
  sketch.reset()
  for (const value of [7, 8, 9]) sketch.record(value)
  t.strictSame(summaryOf(sketch), summaryOf(sketchOf([7, 8, 9])))
  t.end()
})

test('nothing recorded reads as zeros', t => {
  t.strictSame(new Merger().quantiles([0, 0.5, 1]), [0, 0, 0])
  t.end()
})
