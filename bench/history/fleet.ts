import { DatabaseClock } from '../../src/history/postgres/database-clock.js'
import { HistoryDatabase } from '../../src/history/postgres/database.js'
import { mergeWindow } from '../../src/history/postgres/merge.js'
import { pack } from '../../src/history/rollups/pack.js'
import { makePartitions } from '../../src/history/postgres/partitions.js'
import { PostgresReader } from '../../src/history/postgres/reader.js'
import { prepareSchema } from '../../src/history/postgres/schema.js'
import { floorTo, HOURS, MINUTES, SCHEMA } from '../../src/history/postgres/tables.js'
import { systemClock } from '../../src/lib/clock.js'
import { resolveConfig } from '../../src/config.js'
import { snapshotOf } from '../../src/store/merged.js'
import { addNames, addWriter } from './rows.js'
import { minute, SERIES, SERVICE, seriesLoads, type SeriesLoad } from './load.js'

export const RETENTION = { minutes: 24 * 3600, hours: 30 * 86_400, days: 400 * 86_400 }
const WRITING_AT_ONCE = 10

/** So many instances of 500 series each, whose minutes are written one after the other as fast as they can be. */
export class SimulatedFleet {
  readonly database: HistoryDatabase
  readonly #loads: readonly SeriesLoad[] = seriesLoads(SERIES)
  #writers: readonly number[] = []
  /** The beginning of the newest full hour. */
  readonly hour = floorTo(HOURS.width, Date.now())

  constructor(url: string) {
    this.database = new HistoryDatabase(url)
  }

  async begin(instances: number): Promise<void> {
    await prepareSchema(this.database)
    for (let hour = -25; hour <= 1; hour += 1) {
      await makePartitions(this.database, this.hour + hour * HOURS.width)
    }
    await addNames(
      this.database,
      this.#loads.map(({ identity }) => identity)
    )
    this.#writers = await Promise.all(
      Array.from({ length: instances }, (_, index) => addWriter(this.database, `i${index}`))
    )
  }

  /** Writes the minute at `at` of every instance. */
  async write(at: number): Promise<void> {
    for (let from = 0; from < this.#writers.length; from += WRITING_AT_ONCE) {
      await Promise.all(this.#writers.slice(from, from + WRITING_AT_ONCE).map(writer => this.#writeOne(at, writer)))
    }
  }

  /** Merges a minute as an instance does; milliseconds. */
  async merge(at: number): Promise<number> {
    const began = performance.now()
    await this.database.transaction(client => mergeWindow(client, MINUTES, at), 'ISOLATION LEVEL REPEATABLE READ')
    return performance.now() - began
  }

  /** The hours before the newest one, as they are once they are merged: each like the first. */
  async addHours(count: number): Promise<number> {
    const began = performance.now()
    await this.database.transaction(
      client => mergeWindow(client, HOURS, this.hour - HOURS.width),
      'ISOLATION LEVEL REPEATABLE READ'
    )
    const took = performance.now() - began
    for (let index = 2; index <= count; index += 1) {
      const values = [new Date(this.hour - index * HOURS.width), new Date(this.hour - HOURS.width)]
      await this.database.query(
        `INSERT INTO ${SCHEMA}.fleet_hours
         SELECT series, $1, count, errors, total, min, max, p50, p95, p99, data FROM ${SCHEMA}.fleet_hours WHERE at = $2`,
        values
      )
      await this.database.query(`INSERT INTO ${SCHEMA}.merged VALUES ('hour', $1, 1)`, values.slice(0, 1))
    }
    await this.#addMinutesOf(count)
    await this.database.query('ANALYZE')
    return took
  }

  /** Milliseconds that two questions about the last day take: one resolver's p95, and the list of all resolvers. */
  async ask(): Promise<{ readonly one: number; readonly all: number }> {
    const settings = { url: this.database.url, instance: 'i0', service: SERVICE, version: null, retention: RETENTION }
    const reader = new PostgresReader(this.database, new DatabaseClock(systemClock), settings)
    const range = { from: Date.now() - 86_000_000, to: Date.now() }
    const config = resolveConfig({})
    const timed = async (name?: string): Promise<number> => {
      const began = performance.now()
      const choice = name === undefined ? { kinds: ['resolvers' as const] } : { kinds: ['resolvers' as const], name }
      const rows = snapshotOf(await reader.rollups(choice, range), systemClock, config, {}).resolvers
      if (!rows.every(({ p95Time }) => p95Time > 0) || rows.length === 0) throw new Error('there is no answer')
      return performance.now() - began
    }
    return { one: await timed('resolvers.of7'), all: await timed() }
  }

  /** Bytes on disk of what instances wrote, and of what was merged of it, indexes and TOAST included. */
  async bytes(): Promise<{ readonly minutes: number; readonly merged: number }> {
    const size = async (table: string): Promise<number> => {
      const [row] = await this.database.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(inhrelid)) AS bytes FROM pg_inherits WHERE inhparent = '${SCHEMA}.${table}'::regclass`
      )
      return Number(row?.bytes)
    }
    return { minutes: await size('minutes'), merged: await size('fleet_minutes') }
  }

  /** The rows that instances wrote in these hours, without what is in them, and that all of it was merged. */
  async #addMinutesOf(hours: number): Promise<void> {
    const range = [new Date(this.hour - hours * HOURS.width), new Date(this.hour - HOURS.width)]
    const minutes = `SELECT generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', '1 minute') AS at`
    await this.database.query(
      `INSERT INTO ${SCHEMA}.minutes SELECT at, writer, '' FROM (${minutes}) AS minute, unnest($3::integer[]) AS writer`,
      [...range, this.#writers]
    )
    await this.database.query(`INSERT INTO ${SCHEMA}.merged SELECT 'minute', at, $3 FROM (${minutes}) AS minute`, [
      ...range,
      2 * this.#writers.length
    ])
  }

  async #writeOne(at: number, writer: number): Promise<void> {
    const data = await pack(minute(this.#loads))
    await this.database.query(`INSERT INTO ${SCHEMA}.minutes (at, writer, data) VALUES ($1, $2, $3)`, [
      new Date(at),
      writer,
      data
    ])
  }
}
