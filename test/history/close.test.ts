import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { History } from '../../src/history/postgres/history.js'
import { Store } from '../../src/store/store.js'
import { startWireProxy, through } from '../database/wire.js'
import { findFreePort, usePostgres } from '../postgres.js'
import { allUpTo, heldOf, recordNumbered, settingsFor } from './numbered.js'
import { systemClock as clock } from '../../src/lib/clock.js'

for (const way of ['answers', 'is silent', 'is gone'] as const) {
  test(`closing while the database ${way}`, async t => {
    const postgres = await usePostgres(t)
    const pool = new pg.Pool({ connectionString: postgres.url, max: 1 })
    pool.on('error', () => undefined)
    t.teardown(() => pool.end())
    const proxy = await startWireProxy(t, postgres.port)
    const lines: string[] = []
    const store = new Store({ clock, retentionPeriod: 3600 })
    const history = new History({
      settings: settingsFor(through(postgres.url, proxy), 'closing'),
      clock,
      store,
      earlier: new Store({ clock, retentionPeriod: 3600 }),
      log: (_level, _fields, message) => lines.push(message)
    })
    history.start()
    for (let number = 1; number <= 10; number += 1) recordNumbered(store, number)
    await history.flush()
    for (let number = 11; number <= 15; number += 1) recordNumbered(store, number)
    if (way === 'is silent') proxy.silence(true)
    if (way === 'is gone') await postgres.kill()
    const began = performance.now()
    await history.close()
    const took = performance.now() - began
    t.ok(took < 2_500, `it took ${took} ms`)
    if (way === 'is gone') await postgres.start()
    const { rows } = await pool.query<{ boot: string; hasEnded: boolean }>(
      'SELECT boot, ended IS NOT NULL AS "hasEnded" FROM mercurius_performance.writers'
    )
    const isWritten = way === 'answers'
    t.strictSame(await heldOf(pool, rows[0]?.boot ?? ''), allUpTo(isWritten ? 15 : 10), 'the last minute')
    t.equal(rows[0]?.hasEnded, isWritten)
    const lost = lines.filter(line => line.endsWith('minutes of history that were not written before the end: 1'))
    t.equal(lost.length, isWritten ? 0 : 1, 'what is lost is said')
    t.equal(lines.length - lost.length, way === 'is gone' ? 1 : 0, lines.join())
  })
}

test('a logger that throws keeps history neither from being tried again nor from closing', async t => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): unknown => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const caught: unknown[] = []
  const store = new Store({ clock, retentionPeriod: 3600 })
  const history = new History({
    settings: settingsFor(`postgres://nobody@127.0.0.1:${await findFreePort()}/none`, 'closing'),
    clock,
    store,
    earlier: new Store({ clock, retentionPeriod: 3600 }),
    interval: 20,
    log: () => {
      throw new Error('the logger')
    },
    caught: error => caught.push(error)
  })
  history.start()
  for (let waited = 0; history.report.state !== 'FAILING' && waited < 500; waited += 1) await delay(10)
  recordNumbered(store, 1)
  await history.flush()
  await delay(100)
  t.match(history.report, { state: 'FAILING', waitingMinutes: 0 })
  await history.close()
  t.match(caught, [{ message: 'the logger' }, { message: 'the logger' }], 'what was to be said is counted')
  t.strictSame(unhandled, [])
})
