import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { Recorder } from '../../src/history/postgres/recorder.js'
import { HistoryWriter } from '../../src/history/postgres/writer.js'
import { Store } from '../../src/store/store.js'
import { manualClock, type ManualClock } from '../clock.js'
import { usePostgres } from '../postgres.js'
import { fakeTime } from './database-time.js'
import { heldOf, recordNumbered, settingsFor, type Found } from './numbered.js'

/** A recorder and a writer without the timers, over a PostgreSQL whose clock stands still as long as theirs does. */
export interface Parts {
  readonly url: string
  readonly pool: pg.Pool
  readonly clock: ManualClock
  readonly store: Store
  readonly recorder: Recorder
  readonly writer: HistoryWriter
  /** What became of each attempt to write: `written`, or what it failed with. */
  readonly outcomes: unknown[]
  /** Sets the clock of the database alone. */
  step(seconds: number): Promise<void>
  pass(seconds: number): Promise<void>
  /** Measures `count` more numbers, and takes them. */
  measure(count: number): Promise<void>
  /** Takes and writes, until writing has succeeded. */
  flush(): Promise<void>
  held(): Promise<Found>
  /** From now on no minute can be written that is younger than `from`, until the function is called. */
  refuseMinutes(from?: number): Promise<() => Promise<void>>
}

const PATIENCE = 10_000

export interface PartsOptions {
  /** By how many seconds the clock of this machine is wrong. */
  readonly off?: number
  /** How long minutes are kept, in seconds. */
  readonly minutes?: number
  /** The address that the writer is given of the server on `port`, whose address is `url`. */
  readonly via?: (url: string, port: number) => Promise<string>
}

export async function startParts(t: Test, { off = 0, minutes, via }: PartsOptions = {}): Promise<Parts> {
  const { url, port } = await usePostgres(t)
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const time = await fakeTime(pool, 0)
  const clock = manualClock()
  clock.step((time.origin - clock.wall()) / 1000 + off)
  const store = new Store({ clock, retentionPeriod: 3600 })
  const databaseClock = new DatabaseClock(clock)
  const database = new HistoryDatabase(via === undefined ? url : await via(url, port))
  const base = settingsFor(url, 'parts')
  const settings = { ...base, retention: { ...base.retention, ...(minutes !== undefined && { minutes }) } }
  const recorder = new Recorder(store, settings.service, databaseClock)
  const outcomes: unknown[] = []
  const writer = new HistoryWriter(recorder, database, databaseClock, settings, {
    written: () => outcomes.push('written'),
    failed: error => outcomes.push(error),
    outdated: version => outcomes.push(version)
  })
  t.teardown(async () => {
    writer.stop()
    await Promise.all([database.close(), pool.end()])
  })
  let stepped = 0
  let number = 0
  return {
    url,
    pool,
    clock,
    store,
    recorder,
    writer,
    outcomes,
    step: seconds => time.step((stepped += seconds)),
    pass: async seconds => {
      clock.advance(seconds)
      await time.step((stepped += seconds))
    },
    measure: async count => {
      for (let left = count; left > 0; left -= 1) recordNumbered(store, (number += 1))
      await recorder.take()
    },
    flush: async () => {
      const deadline = Date.now() + PATIENCE
      do {
        await delay(5)
        await recorder.take()
        await writer.write()
        if (Date.now() > deadline) throw new Error('never written', { cause: outcomes.at(-1) })
      } while (outcomes.at(-1) !== 'written')
    },
    held: () => heldOf(pool, recorder.writer.boot),
    refuseMinutes: async (from = 0) => {
      await pool.query(`
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN RAISE EXCEPTION ''the disk is full'' USING ERRCODE = ''53100''; END';
        CREATE TRIGGER refuse BEFORE INSERT ON mercurius_performance.minutes FOR EACH ROW
          WHEN (NEW.at > to_timestamp(${from / 1000})) EXECUTE FUNCTION refuse()
      `)
      return async () => {
        await pool.query('DROP TRIGGER refuse ON mercurius_performance.minutes')
      }
    }
  }
}
