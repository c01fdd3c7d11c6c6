import type { TransactionClient } from '../../database/transaction-request.js'
import { DAYS, floorTo, HOURS, MINUTES, PARTITIONED, SCHEMA, type PartitionedTable } from './tables.js'
import { inTurn } from './alone.js'
import type { HistoryDatabase } from './database.js'
import type { HistoryRetention } from '../settings.js'

/** Whoever waits for a lock keeps others waiting behind it, so nobody waits longer: it is tried again a minute later. */
const LOCK_TIMEOUT = '50ms'
/** How many partitions after the present one are made in advance. */
const AHEAD = 2
/** What began so long ago, in milliseconds, may still come; of no table is less than that kept. */
const BEHIND = HOURS.width
const UTC = /[-:T]|\.\d+Z$/g

/**
 * Makes the partitions that what is measured around `now` (milliseconds) and a little later belongs to, and those for
 * `more` times, but none for what has been dropped: what came late would be taken for all there was, and merged in its
 * place. Answers until when that is, -Infinity where nothing was to be made.
 */
export async function makePartitions(
  database: HistoryDatabase,
  now: number,
  more: readonly number[] = []
): Promise<number> {
  const around = PARTITIONED.flatMap(table => [
    partitionOf(table, now - BEHIND),
    ...Array.from({ length: AHEAD + 1 }, (_, index) => partitionOf(table, now + index * table.partition))
  ])
  const further = PARTITIONED.flatMap(table => more.map(time => partitionOf(table, time)))
  const wanted = [...new Map([...around, ...further].map(partition => [partition.name, partition])).values()]
  let dropped = -Infinity
  if ((await database.transaction(client => missing(client, wanted))).length === 0) return dropped
  await inTurn(database, async client => {
    dropped = await droppedUntil(client)
    const young = wanted.filter(({ to }) => to > dropped)
    for (const partition of await missing(client, young)) await makePartition(client, partition)
  })
  return dropped
}

/**
 * The end of the newest hour or day that was merged from what is not there any more. Of an hour that could not be merged
 * its minutes tell: they go in a transaction of their own before what was merged of them.
 */
async function droppedUntil(client: TransactionClient): Promise<number> {
  const { rows } = await client.query<{ tier: string; at: Date }>(
    `
      SELECT tier, max(at) AS at
      FROM ${SCHEMA}.merged
        JOIN (
          VALUES ('${MINUTES.name}', '${MINUTES.source}'), ('${HOURS.name}', '${MINUTES.source}'),
                 ('${DAYS.name}', '${DAYS.source}')
        ) AS parts (tier, source) USING (tier)
      WHERE to_regclass(format('${SCHEMA}.%s_%s', source, to_char(at AT TIME ZONE 'UTC', 'YYYYMMDDHH24'))) IS NULL
      GROUP BY tier
    `
  )
  const ends = rows.map(({ tier, at }) => {
    const { width } = tier === DAYS.name ? DAYS : HOURS
    return floorTo(width, at.getTime()) + width
  })
  return Math.max(-Infinity, ...ends)
}

async function missing(client: TransactionClient, wanted: readonly Partition[]): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = '${SCHEMA}'::regnamespace AND relname = ANY ($1)`,
    [wanted.map(({ name }) => name)]
  )
  const existing = new Set(rows.map(({ name }) => name))
  return wanted.filter(({ name }) => !existing.has(name))
}

/** The partitions that there are, those that end first first; of those that end at once, in the order of `PARTITIONED`. */
export async function partitionsOf(client: TransactionClient): Promise<Partition[]> {
  const { rows } = await client.query<{ parent: string; name: string }>(
    `
      SELECT parent.relname AS parent, child.relname AS name
      FROM pg_inherits
        JOIN pg_class AS parent ON parent.oid = inhparent
        JOIN pg_class AS child ON child.oid = inhrelid
      WHERE parent.relnamespace = '${SCHEMA}'::regnamespace AND parent.relkind = 'p' AND child.relkind = 'r'
    `
  )
  const found = PARTITIONED.flatMap(table =>
    rows.filter(({ parent }) => parent === table.table).map(({ name }) => partitionNamed(table, name))
  )
  return found.sort((one, other) => one.to - other.to)
}

/** Whether what `table` holds of `time` has not been dropped, as of now and not as of when the transaction began. */
export async function isThere(client: TransactionClient, table: string, time: number): Promise<boolean> {
  const found = PARTITIONED.find(each => each.table === table)
  if (found === undefined) return false
  const { rows } = await client.query<{ isThere: boolean }>('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [
    `${SCHEMA}.${partitionOf(found, time).name}`
  ])
  return rows[0]?.isThere === true
}

/** Whether nothing in it is younger than the retention. */
export function isOld({ table, to }: Partition, retention: HistoryRetention, now: number): boolean {
  const found = PARTITIONED.find(each => each.table === table)
  return found !== undefined && to <= now - retention[found.keeps] * 1000
}

/** With what is known of how far it was merged, so that nobody takes what is gone for what is still to be merged. */
export async function dropPartition(client: TransactionClient, { table, name, from, to }: Partition): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`)
  await client.query(`DROP TABLE IF EXISTS ${SCHEMA}.${name}`)
  const tier = [MINUTES, HOURS, DAYS].find(each => each.table === table)
  if (tier === undefined) return
  const range = [tier.name, new Date(from), new Date(to)]
  await client.query(`DELETE FROM ${SCHEMA}.merged WHERE tier = $1 AND at >= $2 AND at < $3`, range)
}

export interface Partition {
  readonly table: string
  readonly name: string
  readonly from: number
  readonly to: number
}

/** The partition of `table` that `time` is in: `minutes_2026112521`. */
function partitionOf({ table, partition }: PartitionedTable, time: number): Partition {
  const from = floorTo(partition, time)
  const digits = new Date(from).toISOString().replace(UTC, '')
  return { table, name: `${table}_${digits.slice(0, 10)}`, from, to: from + partition }
}

function partitionNamed({ table, partition }: PartitionedTable, name: string): Partition {
  const digits = name.slice(table.length + 1)
  const [year, month, day, hour] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8), digits.slice(8, 10)]
  const from = Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`)
  return { table, name, from, to: from + partition }
}

/** Attached and not created as a part, which would keep out whoever reads or writes the table. */
async function makePartition(client: TransactionClient, { table, name, from, to }: Partition): Promise<void> {
  const bounds = `FROM ('${new Date(from).toISOString()}') TO ('${new Date(to).toISOString()}')`
  await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`)
  await client.query(`CREATE TABLE IF NOT EXISTS ${SCHEMA}.${name} (LIKE ${SCHEMA}.${table} INCLUDING ALL)`)
  await client.query(`ALTER TABLE ${SCHEMA}.${table} ATTACH PARTITION ${SCHEMA}.${name} FOR VALUES ${bounds}`)
}
