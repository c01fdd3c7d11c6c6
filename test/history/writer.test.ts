import { test } from 'tap'
import { allUpTo } from './numbered.js'
import { startParts } from './parts.js'

const HOUR = 3600

test('a minute that has just ended is there while it is being put aside', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.flush()
  await parts.pass(60)
  const allow = await parts.refuseMinutes()
  const taking = parts.measure(5)
  await parts.writer.write()
  const { count = 0 } = (await parts.held()).resolvers ?? {}
  t.ok(count >= 10, `${count} of the 10 that were written are still there`)
  await taking
  await allow()
  await parts.flush()
  t.strictSame(await parts.held(), allUpTo(15))
})

test('what waits is written oldest first, so that whatever fails in between the newest is what lacks', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.flush()
  for (let minute = 0; minute < 45; minute += 1) {
    await parts.pass(60)
    await parts.measure(1)
  }
  const allow = await parts.refuseMinutes(parts.clock.wall() - 20 * 60_000)
  await parts.writer.write()
  const { count = 0 } = (await parts.held()).resolvers ?? {}
  t.ok(count > 10 && count < 55, `${count} are there`)
  t.strictSame(await parts.held(), allUpTo(count), 'none lacks among them')
  await allow()
  await parts.flush()
  t.strictSame(await parts.held(), allUpTo(55))
})

test('of a minute that is given up what was written before stays', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.flush()
  for (let minute = 0; minute < 70; minute += 1) {
    await parts.pass(60)
    await parts.measure(1)
  }
  t.equal(parts.recorder.waiting.length, 60)
  t.equal(parts.recorder.dropped, 10, 'the oldest are dropped and counted')
  await parts.flush()
  t.equal((await parts.held()).resolvers?.count, 10 + 60, 'what was written of the oldest stays')
})

test('minutes of long ago, between which nothing was measured, are written as long as minutes are kept', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.flush()
  for (let hour = 0; hour < 30; hour += 1) {
    await parts.pass(HOUR)
    await parts.measure(1)
  }
  await parts.flush()
  t.equal(parts.recorder.dropped, 7, 'those that began before are too old')
  const { rows } = await parts.pool.query('SELECT at FROM mercurius_performance.minutes')
  t.equal(rows.length, 23, 'the others are there, hour for hour')
})

test('a machine whose clock is wrong measures in the minutes of the database', async t => {
  for (const seconds of [26 * HOUR, -26 * HOUR, 400 * 24 * HOUR]) {
    const parts = await startParts(t, { off: seconds })
    await parts.measure(10)
    await parts.pass(60)
    await parts.measure(10)
    await parts.flush()
    const { rows } = await parts.pool.query<{ at: Date }>(
      'SELECT at FROM mercurius_performance.minutes UNION ALL SELECT at FROM mercurius_performance.live ORDER BY at'
    )
    const now = parts.clock.wall() - seconds * 1000
    t.strictSame(
      rows.map(({ at }) => Math.floor(now / 60_000) - at.getTime() / 60_000),
      [1, 0],
      `${seconds / HOUR} hours off`
    )
    t.strictSame(await parts.held(), allUpTo(20))
  }
})
