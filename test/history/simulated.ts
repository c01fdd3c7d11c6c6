import type { HistoryDatabase } from '../../src/history/postgres/database.js'
import { decodeRollup, encodeRollup, pack, type Entry } from '../../src/history/rollups/pack.js'
import { makePartitions } from '../../src/history/postgres/partitions.js'
import { prepareSchema } from '../../src/history/postgres/schema.js'
import { seriesId } from '../../src/history/rollups/series-id.js'
import type { SeriesIdentity } from '../../src/store/identity.js'
import { newSums } from '../../src/store/roll-up.js'
import { Sketch } from '../../src/store/sketch.js'

export const SERVICE = 'tracker'

export function resolverNamed(name: string): SeriesIdentity<'resolvers'> {
  return { kind: 'resolvers', name, labels: null, isOverflow: false }
}

/** What calls of a resolver with these durations (nanoseconds) add up to. */
export function entryOf(identity: SeriesIdentity<'resolvers'>, durations: Iterable<number>): Entry {
  const times = new Sketch()
  for (const duration of durations) times.record(duration)
  const rollup = { times, errors: 0, untimed: 0, sums: newSums('resolvers') }
  const content = decodeRollup(encodeRollup({ rollup, last: null }), 'resolvers')
  return { id: seriesId(SERVICE, identity), kind: 'resolvers', ...content }
}

/** The tables, and the partitions for all that is around `times`. */
export async function prepare(database: HistoryDatabase, times: Iterable<number>): Promise<void> {
  await prepareSchema(database)
  for (const time of times) await makePartitions(database, time)
}

/** A process of another instance, of which nothing is there but what it wrote; its id. */
export async function addWriter(database: HistoryDatabase, instance: string): Promise<number> {
  const [row] = await database.query<{ id: number }>(
    `INSERT INTO mercurius_performance.writers (boot, service, instance) VALUES (gen_random_uuid(), $1, $2) RETURNING id`,
    [SERVICE, instance]
  )
  if (row === undefined) throw new Error('no row')
  return row.id
}

export async function addNames(database: HistoryDatabase, identities: readonly SeriesIdentity[]): Promise<void> {
  await database.query(
    `
      INSERT INTO mercurius_performance.series (id, service, kind, name, labels, overflow)
      SELECT id, $1, kind, name, 'null', false FROM unnest($2::bigint[], $3::text[], $4::text[]) AS named (id, kind, name)
      ON CONFLICT DO NOTHING
    `,
    [
      SERVICE,
      identities.map(identity => seriesId(SERVICE, identity)),
      identities.map(({ kind }) => kind),
      identities.map(({ name }) => name)
    ]
  )
}

export async function addMinute(
  database: HistoryDatabase,
  writer: number,
  at: number,
  entries: Iterable<Entry>
): Promise<void> {
  await database.query('INSERT INTO mercurius_performance.minutes (at, writer, data) VALUES ($1, $2, $3)', [
    new Date(at),
    writer,
    await pack(entries)
  ])
}

/** The minute that a process was killed in, as it wrote it last. */
export async function addLive(
  database: HistoryDatabase,
  writer: number,
  at: number,
  entries: Iterable<Entry>
): Promise<void> {
  await database.query('INSERT INTO mercurius_performance.live (writer, at, seen, data) VALUES ($1, $2, $3, $4)', [
    writer,
    new Date(at),
    new Date(at + 50_000),
    await pack(entries)
  ])
}
