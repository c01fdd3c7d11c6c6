import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test, type Test } from 'tap'
import { createPool } from '../../dist/database/pool.js'
import { startPeer, type Peer } from '../peer.js'
import { usePostgres, type TestPostgres } from '../postgres.js'
import { codesOf, post } from '../tracker/tracker.js'
import type { Report } from './kill/service.js'
import { APPLICATION, POOL_MAX } from './kill/settings.js'
import { balance, CREATE } from './ledger.js'
import { machine, table, writeSection } from './section.js'
import { startTracker } from './tracker.js'

const full = process.env.RELIABILITY === '1'
const PROMISED_SECONDS = 2
const LOOKUP = '{ issues(first: 2) { edges { node { title author { name } } } } }'
const TRACKER = 'tracker'
const TRACKER_MAX = 10

interface Way {
  readonly name: string
  readonly run: (postgres: TestPostgres) => Promise<void>
  readonly stopsServer: boolean
}

const terminate = (name: string, state: string): Way => ({
  name: `pg_terminate_backend, ${name}`,
  run: async ({ url }) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    // Several times, since each finds only who is in that state just then.
    let ended = 0
    for (let turn = 0; turn < 20 || (ended === 0 && turn < 500); turn += 1) {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND ${state}`
      )
      ended += rowCount ?? 0
      await delay(10)
    }
    await client.end()
    if (ended === 0) throw new Error(`no connection was ${name}`)
  },
  stopsServer: false
})

const applications = `application_name IN ('${APPLICATION}', '${TRACKER}')`
const ways: readonly Way[] = [
  { name: 'fast stop', run: postgres => postgres.stop('fast'), stopsServer: true },
  { name: 'SIGKILL of the postmaster', run: postgres => postgres.kill(), stopsServer: true },
  terminate('idle in transaction', `${applications} AND state = 'idle in transaction'`),
  { name: 'immediate stop', run: postgres => postgres.stop('immediate'), stopsServer: true },
  terminate('in flight', `${applications} AND state = 'active'`),
  terminate('idle', `${applications} AND state = 'idle'`)
]

const CYCLES = full ? 20 : ways.length

interface Row {
  readonly name: string
  cycles: number
  /** Seconds, the longest. */
  recovery: number
}

test('Postgres goes in every way that there is, while services write', { timeout: 1_800_000 }, async t => {
  const postgres = await usePostgres(t)
  const setup = createPool({ connectionString: postgres.url, max: 1 })
  await setup.query(CREATE)
  const service = await startPeer(t, new URL('./kill/service.ts', import.meta.url), {
    environment: { DATABASE_URL: postgres.url }
  })
  const tracker = await startTracker(t, `${postgres.url}?application_name=${TRACKER}`, {})
  const watched = await watch(t, tracker.url, postgres.url)

  const rows: Row[] = ways.map(({ name }) => ({ name, cycles: 0, recovery: 0 }))
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const index = cycle % ways.length
    const [way, row] = [ways[index], rows[index]]
    if (way === undefined || row === undefined) continue
    await delay(300)
    await way.run(postgres)
    if (way.stopsServer) {
      await delay(300)
      await postgres.start()
    }
    row.cycles += 1
    row.recovery = Math.max(row.recovery, await secondsUntilBack(service, tracker.url))
  }
  const { ledger, uncaught, requests, attempts } = await service.ask<Report>('stop')
  const { most, asked, wrong } = watched.stop()
  const sum = await balance(ledger, setup)
  await setup.end()

  t.comment(JSON.stringify({ rows, sum, most, asked, wrong, requests, attempts }))
  t.match(sum, { lost: 0, ghosts: 0, doubled: 0 })
  t.ok(sum.acknowledged > CYCLES * 20 && sum.failed + sum.unknown > 0, 'it wrote, and it was felt')
  t.equal(uncaught, 0, 'nothing is uncaught')
  t.equal(tracker.process.child.exitCode, null, 'the Tracker lives')
  for (const { name, cycles, recovery } of rows) {
    t.ok(cycles > 0 && recovery <= PROMISED_SECONDS, `${name}, ${cycles} times: back after ${recovery.toFixed(2)} s`)
  }
  t.ok(most.service <= POOL_MAX && most.tracker <= TRACKER_MAX, 'no more connections than the pools may hold')
  t.equal(wrong, 0, `all of ${asked} requests that need no database are answered`)
  if (!full) return
  writeSection(
    'When Postgres goes',
    `Written by \`npm run reliability\`: ${CYCLES} times PostgreSQL is stopped, killed or told to end connections, while a service
writes through \`createPool\` (${POOL_MAX} connections) and keeps a ledger, and the Tracker is asked. ${machine()}

${table(
  ['', 'cycles', 'both are back'],
  rows.map(({ name, cycles, recovery }) => [name, String(cycles), `after ${recovery.toFixed(2)} s at most`])
)}

Writes: ${sum.acknowledged} acknowledged, ${sum.failed} failed, ${sum.unknown} of unknown outcome. Compared with the table:
${sum.lost} acknowledged ones lost, ${sum.ghosts} failed ones there, ${sum.doubled} done twice. ${attempts} attempts for ${requests} requests,
${uncaught} errors that nobody caught, 0 processes ended, ${most.service} connections of the service and ${most.tracker} of the Tracker at
most, ${wrong} of ${asked} requests to the Tracker that need no database failed.`
  )
})

/** Seconds from now until a write was acknowledged anew and the Tracker has answered from its tables. */
async function secondsUntilBack(service: Peer, url: string): Promise<number> {
  const began = performance.now()
  const before = await service.ask<number>('acknowledged')
  const writes = async (): Promise<void> => {
    while ((await service.ask<number>('acknowledged')) === before) await delay(10)
  }
  const answers = async (): Promise<void> => {
    while (codesOf(await post(url, { query: LOOKUP })).length > 0) await delay(10)
  }
  await Promise.all([writes(), answers()])
  return (performance.now() - began) / 1_000
}

interface Watched {
  /** The most connections seen. */
  readonly most: { service: number; tracker: number }
  asked: number
  wrong: number
}

/** Counts connections, asks the Tracker what needs no database, and what does. */
async function watch(t: Test, url: string, database: string): Promise<{ stop(): Watched }> {
  const seen: Watched = { most: { service: 0, tracker: 0 }, asked: 0, wrong: 0 }
  let isStopped = false
  const forever = (work: () => Promise<void>): void => {
    void (async () => {
      while (!isStopped) {
        await work().catch(() => undefined)
        await delay(20)
      }
    })()
  }
  const counter = createPool({ connectionString: database, max: 1, deadline: 0.5 })
  t.teardown(() => {
    isStopped = true
    return counter.end()
  })
  forever(async () => {
    const { rows } = await counter.query<{ application_name: string; count: number }>(
      'SELECT application_name, count(*)::integer FROM pg_stat_activity GROUP BY application_name'
    )
    const of = (name: string): number => rows.find(row => row.application_name === name)?.count ?? 0
    seen.most.service = Math.max(seen.most.service, of(APPLICATION))
    seen.most.tracker = Math.max(seen.most.tracker, of(TRACKER))
  })
  forever(async () => {
    seen.asked += 1
    const answer = await post(url, { query: '{ __typename }' }).catch(() => null)
    if (answer?.status !== 200 || codesOf(answer).length > 0) seen.wrong += 1
  })
  for (let client = 0; client < 4; client += 1) {
    forever(async () => {
      await post(url, { query: LOOKUP })
    })
  }
  return {
    stop: () => {
      isStopped = true
      return seen
    }
  }
}
