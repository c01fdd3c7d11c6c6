import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import { fakeTime } from '../history/database-time.js'
import { NUMBERED, sumTo } from '../history/numbered.js'
import { usePostgres, type TestPostgres } from '../postgres.js'
import { fleetOf, startNumbering, untilWriting, type Numbering } from '../history/numbering.js'
import { writeOutages, type Outage } from './history-report.js'

const full = process.env.RELIABILITY === '1'
const CYCLES = full ? 20 : 4
const INTERVAL = 100
/** A minute takes a second, so that minutes end while Postgres is away. */
const SPEED = 60
const INSTANCES = ['a', 'b', 'c']
/** Of each instance: two that write and two that read. */
const MOST_CONNECTIONS = 4 * INSTANCES.length
/** The longest wait before the attempt that follows an outage as long as these. */
const BACKOFF = 8_000

const faults = [
  'fast stop',
  'immediate stop',
  'SIGKILL of the postmaster',
  'pg_terminate_backend, idle',
  'pg_terminate_backend, active',
  'pg_terminate_backend, idle in transaction'
] as const
type Fault = (typeof faults)[number]

test('whatever becomes of Postgres, history has everything once', { timeout: 1_200_000 }, async t => {
  const postgres = await usePostgres(t)
  let pool = await watch(postgres)
  const time = await fakeTime(pool, SPEED)
  t.teardown(() => pool.end())
  let uncaught = 0
  const count = (): void => {
    uncaught += 1
  }
  process.on('uncaughtExceptionMonitor', count)
  t.teardown(() => process.off('uncaughtExceptionMonitor', count))

  const instances = INSTANCES.map(name => startNumbering(t, postgres.url, name, time, INTERVAL))
  await untilWriting(instances)
  const outages: Outage[] = []
  let connections = 0
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    for (const fault of full || cycle > 0 ? faults : faults.slice(0, 3)) {
      const before = instances.map(({ lines }) => lines.length)
      const felt = await strike(postgres, pool, fault, instances)
      if (fault.startsWith('pg_')) t.ok(felt > 0, `${fault}: ${felt} connections were ended`)
      const accepted = performance.now()
      // Until all of them have noticed.
      if (fault.startsWith('pg_')) await delay(2 * INTERVAL)
      const recovery = await untilWriting(instances, accepted)
      if (!fault.startsWith('pg_')) {
        await pool.end()
        pool = await watch(postgres)
      }
      const warnings = instances.map(({ lines }, index) =>
        lines.slice(before[index]).filter(line => line.startsWith('warn'))
      )
      outages.push({ fault, recovery, felt, warnings: Math.max(...warnings.map(({ length }) => length)) })
      connections = Math.max(connections, await connectionsOf(pool))
      t.ok(recovery < BACKOFF, `${fault}: writing again after ${recovery} ms`)
      for (const found of warnings) t.ok(found.length <= 1, `${fault}: one line at most, ${found.join()}`)
      await delay(100 * Math.random())
    }
  }
  for (const instance of instances) instance.stop()
  for (const { history } of instances) await history.flush()
  await untilWriting(instances)
  const [first] = instances
  if (first === undefined) throw new Error('no instance')
  for (const merged of [false, true]) {
    for (let round = 0; merged && round < 30; round += 1) await first.history.compact()
    t.strictSame(
      await fleetOf(first.history, time.origin),
      ledgerOf(instances),
      `to the unit${merged ? ', merged' : ''}`
    )
  }
  t.equal(uncaught, 0)
  t.ok(connections <= MOST_CONNECTIONS, `${connections} connections`)
  t.ok(
    outages.some(({ warnings }) => warnings === 1),
    'it was felt and said'
  )
  t.comment(JSON.stringify(outages))
  if (full) {
    const counted = instances.reduce((sum, instance) => sum + instance.last(), 0)
    writeOutages(INSTANCES.length, counted, connections, MOST_CONNECTIONS, faults, outages)
  }
})

/** What happened to Postgres; answers how many connections were ended, or 0 where that is all of them. */
async function strike(
  postgres: TestPostgres,
  pool: pg.Pool,
  fault: Fault,
  instances: readonly Numbering[]
): Promise<number> {
  if (fault.startsWith('pg_')) return terminate(pool, fault.replace('pg_terminate_backend, ', ''))
  if (fault === 'SIGKILL of the postmaster') await postgres.kill()
  else await postgres.stop(fault === 'fast stop' ? 'fast' : 'immediate')
  const deadline = performance.now() + 3_000
  while (performance.now() < deadline && instances.some(({ history }) => history.report.state !== 'FAILING')) {
    await delay(5)
  }
  await delay(1_000 * Math.random())
  await postgres.start()
  return 0
}

/** Such states last for moments. */
async function terminate(pool: pg.Pool, state: string): Promise<number> {
  const deadline = performance.now() + 2_000
  while (performance.now() < deadline) {
    const { rowCount } = await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE state = $1 AND application_name <> 'test' AND backend_type = 'client backend'`,
      [state]
    )
    if (rowCount !== null && rowCount > 0) return rowCount
  }
  return 0
}

async function watch({ url }: TestPostgres): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: 1, application_name: 'test' })
  pool.on('error', () => undefined)
  await pool.query('SELECT 1')
  return pool
}

async function connectionsOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
     WHERE application_name <> 'test' AND backend_type = 'client backend'`
  )
  return rows[0]?.count ?? 0
}

function ledgerOf(instances: readonly Numbering[]): object {
  return Object.fromEntries(
    [...NUMBERED].sort().flatMap(kind =>
      INSTANCES.map((name, index) => {
        const last = instances[index]?.last() ?? 0
        return [`${kind} ${name}`, { count: last, sum: sumTo(last) }]
      })
    )
  )
}
