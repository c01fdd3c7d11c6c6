import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { usePostgres } from '../postgres.js'
import { fakeTime } from './database-time.js'
import { NUMBERED, sumTo } from './numbered.js'
import { fleetOf, startNumbering, untilWriting } from './numbering.js'

const INSTANCES = 20
const SECONDS = 6
/** A minute takes a second. */
const SPEED = 60

const settings = ['logging_collector=on', 'log_lock_waits=on', 'deadlock_timeout=100ms', 'log_min_messages=log']

test('twenty instances write and merge at once and never wait for each other', { timeout: 60_000 }, async t => {
  const { url } = await usePostgres(t, settings)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => pool.end())
  const time = await fakeTime(pool, SPEED)
  const names = Array.from({ length: INSTANCES }, (_, index) => `instance ${index}`)
  // All at once, into a database that is empty.
  const instances = names.map(name => startNumbering(t, url, name, time, 500))
  await untilWriting(instances)
  const until = performance.now() + SECONDS * 1_000
  while (performance.now() < until) {
    await Promise.all(instances.map(({ history }) => history.compact()))
    await delay(100)
  }
  for (const instance of instances) instance.stop()
  for (const { history } of instances) await history.flush()
  await untilWriting(instances)
  const [first] = instances
  if (first === undefined) throw new Error('no instance')
  for (let round = 0; round < 3; round += 1) await first.history.compact()
  const found = await fleetOf(first.history, time.origin)
  for (const kind of NUMBERED) {
    names.forEach((name, index) => {
      const last = instances[index]?.last() ?? 0
      t.strictSame(found[`${kind} ${name}`], { count: last, sum: sumTo(last) }, `${kind} ${name}`)
    })
  }
  t.strictSame(
    instances.flatMap(({ lines }) => lines),
    [],
    'nobody has anything to complain of'
  )
  const { rows } = await pool.query<{ log: string }>('SELECT pg_read_file(pg_current_logfile()) AS log')
  const log = rows[0]?.log ?? ''
  const ready = log.indexOf('database system is ready')
  t.ok(ready >= 0, 'it is the log of the server')
  const waits = log
    .slice(ready)
    .split('\n')
    .filter(line => /deadlock|still waiting|ERROR|FATAL/.test(line))
  t.strictSame(waits, [], 'neither locks that were waited for nor errors')
})
