import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { History } from '../../src/history/postgres/history.js'
import { Store } from '../../src/store/store.js'
import { clockLike, type DatabaseTime } from './database-time.js'
import { NUMBERED, recordNumbered, settingsFor, type Found } from './numbered.js'

/** An instance that measures numbers until it is told to stop, and what it logged. */
export interface Numbering {
  readonly history: History
  /** What was measured before it under its name. */
  readonly earlier: Store
  readonly lines: string[]
  /** The last number that it measured. */
  last(): number
  stop(): void
}

const PATIENCE = 60_000

/** An instance whose history is at `url`, which writes every `interval` milliseconds, until the test ends. */
export function startNumbering(
  t: Test,
  url: string,
  name: string,
  time: DatabaseTime,
  interval: number,
  retentionPeriod = 3600
): Numbering {
  const clock = clockLike(time)
  const store = new Store({ clock, retentionPeriod: 3600 })
  const earlier = new Store({ clock, retentionPeriod })
  const lines: string[] = []
  const history = new History({
    settings: settingsFor(url, name),
    clock,
    store,
    earlier,
    interval,
    log: (level, _fields, message) => lines.push(`${level} ${message}`)
  })
  let last = 0
  const timer = setInterval(() => {
    for (let left = 10; left > 0; left -= 1) recordNumbered(store, (last += 1), name)
  }, 5)
  t.teardown(async () => {
    clearInterval(timer)
    await history.close()
  })
  history.start()
  return {
    history,
    earlier,
    lines,
    last: () => last,
    stop: () => {
      clearInterval(timer)
    }
  }
}

/** Milliseconds until all of them write. */
export async function untilWriting(all: readonly Numbering[], since = performance.now()): Promise<number> {
  while (all.some(({ history }) => history.report.state !== 'WRITING' || history.report.waitingMinutes > 0)) {
    if (performance.now() > since + PATIENCE) {
      throw new Error(`they do not write: ${JSON.stringify(all.map(({ history }) => history.report))}`)
    }
    await delay(5)
  }
  return performance.now() - since
}

/** What the fleet's numbers are, name by name and kind by kind. */
export async function fleetOf({ reader }: History, from: number): Promise<Found> {
  const rollups = await reader.rollups({ kinds: NUMBERED }, { from: from - 60_000, to: reader.now() + 1 })
  const found = rollups.map(({ identity: { kind, name }, rollup: { times } }) => ({
    key: `${kind} ${name.replace('Query.', '')}`,
    held: { count: times.count, sum: times.sum }
  }))
  found.sort((one, other) => (one.key < other.key ? -1 : 1))
  return Object.fromEntries(found.map(({ key, held }) => [key, held]))
}
