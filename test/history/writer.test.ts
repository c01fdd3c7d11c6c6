import { test } from 'tap'
import { unpack } from '../../src/history/rollups/pack.js'
import { startWireProxy, through, type WireProxy } from '../database/wire.js'
import { allUpTo } from './numbered.js'
import { startParts } from './parts.js'
import { recordResolver } from '../store/support.js'

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

test('a minute that ends while it is read for writing is written whole', async t => {
  const { store, recorder } = await startParts(t)
  const measurement = { failed: false, argsCount: 0, traceId: null, statements: 0 }
  for (let series = 0; series < 1500; series += 1)
    recordResolver(store, `Query.r${series}`, { ...measurement, duration: 1000 * series + 1 })
  await recorder.take()
  const reading = recorder.packOpen()
  await recorder.close()
  const whole = await unpack(recorder.waiting[0]?.data ?? Buffer.alloc(0))
  t.equal(whole.length, 1500)
  t.strictSame(await unpack(await reading), whole)
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

test('rows that somebody took away are made again, and no two processes write into one', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.flush()
  const names = 'SELECT name FROM mercurius_performance.series ORDER BY kind'
  const { rows: named } = await parts.pool.query(names)
  await parts.pool.query('DELETE FROM mercurius_performance.writers; TRUNCATE mercurius_performance.series')
  await parts.flush()
  t.strictSame(await parts.held(), allUpTo(10), 'the row of the process is there again')
  t.strictSame((await parts.pool.query(names)).rows, named, 'and what its series are called')

  await parts.pool.query('DROP SCHEMA mercurius_performance CASCADE')
  await parts.flush()
  // As if others had come first.
  await parts.pool.query('UPDATE mercurius_performance.writers SET boot = gen_random_uuid()')
  await parts.pass(60)
  await parts.measure(5)
  await parts.flush()
  const { rows } = await parts.pool.query('SELECT DISTINCT writer FROM mercurius_performance.live')
  t.equal(rows.length, 2, 'it has an id of its own')
  t.strictSame((await parts.pool.query(names)).rows, named)
})

test('a minute that is being put aside when nothing can be written any more is given up too', async t => {
  const parts = await startParts(t)
  const { recorder } = parts
  await parts.measure(10)
  const closing = recorder.close()
  recorder.stop()
  await closing
  t.equal(recorder.waiting.length, 0)
  t.equal(recorder.dropped, 1, 'and counted')
})

test('tables of a later version are left alone, and what waited for them is given up', async t => {
  const parts = await startParts(t)
  await parts.measure(10)
  await parts.flush()
  await parts.pool.query('UPDATE mercurius_performance.schema_version SET version = 7')
  await parts.pass(60)
  await parts.measure(5)
  await parts.writer.write()
  t.equal(parts.outcomes.at(-1), 7, 'it says which version it found')
  await parts.measure(5)
  t.strictSame([parts.recorder.waiting.length, parts.recorder.names.unnamed.size], [0, 0])
  t.ok(parts.recorder.dropped >= 1, 'it is counted')
  await parts.writer.write()
  t.strictSame(await parts.held(), allUpTo(10), 'nothing is written any more')
})

test('a network that is cut without a word is noticed', { timeout: 60_000 }, async t => {
  let proxy: WireProxy | undefined
  const parts = await startParts(t, { via: async (url, port) => through(url, (proxy = await startWireProxy(t, port))) })
  await parts.measure(10)
  await parts.flush()
  proxy?.silence(true)
  await parts.measure(5)
  const began = performance.now()
  await parts.writer.write()
  t.not(parts.outcomes.at(-1), 'written')
  t.ok(performance.now() - began < 35_000)
  proxy?.silence(false)
  await parts.flush()
  t.strictSame(await parts.held(), allUpTo(15))
})
