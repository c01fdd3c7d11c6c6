import { test } from 'tap'
import { backoffDelay, BACKGROUND } from '../../dist/database/backoff.js'

test('waits grow from the first to the most, and are spread over all of it', async t => {
  const longest = [0, 1, 2, 6, 7, 50, 2_000].map(attempt => backoffDelay(attempt, BACKGROUND, () => 1))
  t.same(longest, [250, 500, 1_000, 16_000, 30_000, 30_000, 30_000])
  t.equal(
    backoffDelay(3, BACKGROUND, () => 0),
    0
  )
  const waits = Array.from({ length: 1_000 }, () => backoffDelay(0, { first: 50, most: 1_000 }))
  t.ok(waits.every(wait => wait >= 0 && wait < 50))
  t.ok(Math.min(...waits) < 5 && Math.max(...waits) > 45)
})
