import pg from 'pg'
import { test } from 'tap'
import { codeOf } from '../../dist/database/failure.js'
import { createPool, type ResilientPool } from '../../dist/database/pool.js'
import { PoolGroup } from '../../dist/database/pool-group.js'
import { startWireProxy, through } from '../database/wire.js'
import { usePostgres } from '../postgres.js'
import { machine, table, writeSection } from './section.js'

const full = process.env.RELIABILITY === '1'
const WARM = 300
const CALLERS = full ? 200 : 50
const WAITERS = 500
const DEADLINE = 2
const PROMISED = 100

interface Row {
  readonly name: string
  readonly callers: number
  /** Milliseconds of the slowest caller. */
  readonly slowest: number
  readonly outcomes: string
}

test('Postgres is there and hardly answers', { timeout: 600_000 }, async t => {
  const postgres = await usePostgres(t)
  const proxy = await startWireProxy(t, postgres.port)
  const group = new PoolGroup()
  const url = through(postgres.url, proxy)
  const pool = createPool({ connectionString: url, deadline: DEADLINE }, group)
  const rows: Row[] = []
  const run = async (name: string, callers: number, on: ResilientPool = pool): Promise<void> => {
    rows.push(await settle(name, callers, on))
  }
  // With as many connections as it may have, like a service that has run for a while.
  await Promise.all(Array.from({ length: 10 }, () => pool.query({ text: 'SELECT 1', deadline: 30 })))
  await run('healthy', WARM)
  proxy.silence(true)
  await run('black hole', CALLERS)
  await run('black hole, no connection left', CALLERS)
  proxy.silence(false)
  await run('healthy again', CALLERS)
  proxy.delay(2_000)
  await run('answers 2 s late', CALLERS)
  proxy.delay(0)
  await run('healthy again', CALLERS)

  const held = await Promise.all(Array.from({ length: 10 }, () => pool.connect()))
  await run('500 callers, 10 connections in use', WAITERS)
  for (const client of held) client.release()
  await run('healthy again', CALLERS)

  const others = await takeAllConnections(postgres.url)
  const late = createPool({ connectionString: url, deadline: DEADLINE }, group)
  await run('53300, no connection to be had', CALLERS, late)
  for (const client of others) await client.end()
  await run('healthy again', CALLERS, late)
  const { requests, attempts } = group.total.counts
  await Promise.all([pool.end(), late.end()])

  t.comment(JSON.stringify({ rows, counts: group.total.counts }))
  for (const { name, slowest } of rows) {
    t.ok(slowest <= DEADLINE * 1_000 + PROMISED, `${name}: the slowest settled after ${slowest.toFixed(0)} ms`)
  }
  t.ok(attempts <= 1.1 * requests, `${attempts} attempts for ${requests} requests`)
  for (const { name, callers, outcomes } of rows) {
    if (name.startsWith('healthy')) t.equal(outcomes, `ok ${callers}`, name)
    else t.match(outcomes, BAD, name)
  }
  if (full) report(rows, attempts, requests)
})

/** What a row of errors may be made of; nobody gets an answer while there is none. */
const BAD = /^(?:(?:^|, )(?:MPERF_DATABASE_DEADLINE|MPERF_OUTCOME_UNKNOWN|53300) \d+)+$/

/** Reads, writes and transactions, all at once. */
async function settle(name: string, callers: number, pool: ResilientPool): Promise<Row> {
  const outcomes = new Map<string, number>()
  let slowest = 0
  const ask = async (index: number): Promise<void> => {
    const began = performance.now()
    const asked =
      index % 3 === 0
        ? pool.query('SELECT 1')
        : index % 3 === 1
          ? pool.query("SELECT set_config('brown.out', 'x', false)")
          : pool.transaction(client => client.query('SELECT 1'), { repeatable: true })
    const outcome = await asked.then(
      () => 'ok',
      (error: unknown) => codeOf(error) ?? 'another error'
    )
    slowest = Math.max(slowest, performance.now() - began)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: callers }, (_, index) => ask(index)))
  const listed = [...outcomes].map(([outcome, count]) => `${outcome} ${count}`).sort()
  return { name, callers, slowest, outcomes: listed.join(', ') }
}

async function takeAllConnections(connectionString: string): Promise<pg.Client[]> {
  const taken: pg.Client[] = []
  for (;;) {
    const client = new pg.Client({ connectionString })
    client.on('error', () => undefined)
    try {
      await client.connect()
      taken.push(client)
    } catch {
      return taken
    }
  }
}

function report(rows: readonly Row[], attempts: number, requests: number): void {
  writeSection(
    'When Postgres hardly answers',
    `Written by \`npm run reliability\`: reads, writes and transactions of one \`createPool\` with a deadline of ${DEADLINE} s, all of a
row at once. ${machine()}

${table(
  ['', 'callers', 'slowest', 'what they got'],
  rows.map(({ name, callers, slowest, outcomes }) => [name, String(callers), `${slowest.toFixed(0)} ms`, outcomes])
)}

${attempts} attempts for ${requests} requests: ${(attempts / requests).toFixed(3)}.`
  )
}
