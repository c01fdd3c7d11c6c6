import { test, type Test } from 'tap'
import { backoffDelay, BACKGROUND, retryInBackground } from '../../dist/database/backoff.js'

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

/** The waits themselves do not hold the process. */
function hold(t: Test): void {
  const holding = setInterval(() => undefined, 1_000)
  t.teardown(() => {
    clearInterval(holding)
  })
}

test('background work is repeated until it succeeds', async t => {
  hold(t)
  const seen: unknown[] = []
  let left = 5
  const done = await retryInBackground(
    async () => {
      if (left-- > 0) throw new Error(`${left} left`)
      return 'done'
    },
    { signal: new AbortController().signal, limits: { first: 1, most: 4 }, failed: error => seen.push(error) }
  )
  t.equal(done, 'done')
  t.equal(seen.length, 5)
})

test('background work ends when it is aborted, also in the middle of a wait', async t => {
  hold(t)
  const stop = new AbortController()
  const failing = retryInBackground(() => Promise.reject(new Error('no')), {
    signal: stop.signal,
    limits: { first: 1e6, most: 1e6 }
  })
  setTimeout(() => {
    stop.abort(new Error('stopped'))
  }, 20)
  await t.rejects(failing, { message: 'stopped' })
  await t.rejects(
    retryInBackground(() => Promise.resolve('never'), { signal: stop.signal }),
    { message: 'stopped' }
  )
})
