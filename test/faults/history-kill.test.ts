import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { test, type Test } from 'tap'
import { History } from '../../src/history/postgres/history.js'
import { Store } from '../../src/store/store.js'
import { clockLike, fakeTime, type DatabaseTime } from '../history/database-time.js'
import { allUpTo, heldOf, NUMBERED, settingsFor, sumTo } from '../history/numbered.js'
import { root } from '../node.js'
import { usePostgres } from '../postgres.js'
import { writeKills, type Killed } from './history-report.js'

const full = process.env.RELIABILITY === '1'
const KILLS = full ? 100 : 15
/** Milliseconds between two writes. */
const INTERVAL = 100
/** A minute takes a second, so that minutes end and are merged while processes are killed. */
const SPEED = 60
const LONGEST_LIFE = 2_500
const PATIENCE = 20_000
const INSTANCE = 'killed'

test('a process that is killed loses no more than it measured since it wrote last', { timeout: 900_000 }, async t => {
  const postgres = await usePostgres(t)
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 })
  t.teardown(() => pool.end())
  const time = await fakeTime(pool, SPEED)
  const ledger = new Map<string, Killed>()
  for (let kill = 0; kill < KILLS; kill += 1) {
    const killed = await runAndKill(t, postgres.url, time)
    const boot = await newestBoot(pool)
    t.notOk(ledger.has(boot), 'it was another process')
    const held = await heldOf(pool, boot)
    const found = held.resolvers?.count ?? 0
    ledger.set(boot, { ...killed, found })
    t.strictSame(held, allUpTo(found), `kill ${kill}: nothing is there in half or twice`)
    t.ok(found >= killed.confirmed, `${found} found, ${killed.confirmed} confirmed`)
    t.ok(found <= killed.recorded, `${found} found, ${killed.recorded} recorded`)
    t.strictSame(killed.warnings, [])
  }
  for (const [boot, { found }] of ledger) t.strictSame(await heldOf(pool, boot), allUpTo(found), 'and it stays')
  await fleetHas(t, postgres.url, time, [...ledger.values()])
  t.comment(JSON.stringify([...ledger.values()]))
  if (full) writeKills(INTERVAL, 60 / SPEED, [...ledger.values()])
})

async function runAndKill(t: Test, url: string, time: DatabaseTime): Promise<Omit<Killed, 'found'>> {
  const given = JSON.stringify({ settings: settingsFor(url, INSTANCE), time, interval: INTERVAL })
  const child = spawn(process.execPath, ['test/faults/history-process.js', given], {
    cwd: root,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(child, 'close')
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let confirmedAt = NaN
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (text.includes('confirmed')) confirmedAt = performance.now()
  })
  const deadline = performance.now() + PATIENCE
  while (!/^confirmed [1-9]/m.test(output)) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error(`nothing confirmed: ${output}`)
    await delay(5)
  }
  await delay(Math.random() * LONGEST_LIFE)
  const killedAt = performance.now()
  child.kill('SIGKILL')
  await ended
  const last = (word: string): number => Number([...output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1])
  return {
    recorded: last('recorded'),
    confirmed: last('confirmed'),
    silence: killedAt - confirmedAt,
    warnings: output.match(/^warn .*$/gm) ?? []
  }
}

async function newestBoot(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ boot: string }>(
    'SELECT boot FROM mercurius_performance.writers ORDER BY id DESC LIMIT 1'
  )
  return rows[0]?.boot ?? 'none'
}

/** Before and after everything is merged. */
async function fleetHas(t: Test, url: string, time: DatabaseTime, all: readonly { found: number }[]): Promise<void> {
  const clock = clockLike(time)
  const history = new History({
    settings: settingsFor(url, 'reader'),
    clock,
    store: new Store({ clock, retentionPeriod: 3600 }),
    earlier: new Store({ clock, retentionPeriod: 3600 }),
    log: () => undefined
  })
  await history.flush()
  const count = all.reduce((sum, { found }) => sum + found, 0)
  const sum = all.reduce((added, { found }) => added + sumTo(found), 0)
  const wanted = NUMBERED.map(kind => ({ kind, count, sum })).sort(byKind)
  for (const merged of [false, true]) {
    // A window a row, sixty of them at a time.
    for (let round = 0; merged && round < 10; round += 1) await history.compact()
    const now = history.reader.now()
    const rollups = await history.reader.rollups({ kinds: NUMBERED }, { from: time.origin - 60_000, to: now })
    const found = rollups.map(({ identity, rollup: { times } }) => ({
      kind: identity.kind,
      count: times.count,
      sum: times.sum
    }))
    t.strictSame(found.sort(byKind), wanted, merged ? 'the fleet has it all, merged' : 'the fleet has it all')
  }
  await history.close()
}

function byKind(one: { readonly kind: string }, other: { readonly kind: string }): number {
  return one.kind < other.kind ? -1 : 1
}
