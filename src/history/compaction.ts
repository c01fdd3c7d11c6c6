import type { PoolClient } from 'pg'
import type { HistoryDatabase } from './database.js'
import { mergeWindow } from './merge.js'
import { dropPartition, makePartitions, oldPartitions } from './partitions.js'
import { codeOf } from './problems.js'
import type { HistoryRetention } from './settings.js'
import { ceilTo, DAYS, floorTo, HOURS, MINUTES, SCHEMA, type FleetTier } from './tables.js'
import { staleWindows } from './weights.js'

/** Any number will do, as long as all instances use the same one. ASCII for 'MPEC'. */
const LOCK = 0x4d504543
const ONE_STATE = 'ISOLATION LEVEL REPEATABLE READ'
/** Milliseconds that instances have to write a minute after its end. What comes later is merged again. */
const GRACE = 15_000
/** So that what has piled up is worked off without holding up others for long. */
const WINDOWS_AT_A_TIME = 60
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Merges what all instances wrote: minutes, then hours out of minutes, then days out of hours; makes partitions, and
 * drops what is too old. Each window is a transaction of its own, and merging it again gives the same. One instance at a
 * time does it, whichever comes first; the others find nothing to do. `now` is that of the database, in milliseconds.
 */
export async function compact(database: HistoryDatabase, retention: HistoryRetention, now: number): Promise<void> {
  const end = now - GRACE
  await mergeStale(database, MINUTES, oldest(retention, MINUTES, now), floorTo(MINUTES.width, end))
  await mergeStale(database, HOURS, oldest(retention, MINUTES, now), floorTo(HOURS.width, end - MINUTES.width))
  await mergeStale(database, DAYS, oldest(retention, HOURS, now), floorTo(DAYS.width, end - MINUTES.width))
  await database.transaction(client => makePartitions(client, now))
  for (const name of await database.transaction(client => oldPartitions(client, retention, now))) {
    await drop(database, name)
  }
  await alone(database, client => forget(client, retention, now))
}

/** Where everything of a tier is still there, to whole hours and days. */
function oldest(retention: HistoryRetention, tier: FleetTier, now: number): number {
  const coarser = tier === MINUTES ? HOURS : DAYS
  return ceilTo(coarser.width, now - retention[tier.keeps] * 1000)
}

async function mergeStale(database: HistoryDatabase, tier: FleetTier, from: number, to: number): Promise<void> {
  if (from >= to) return
  const sql = `${staleWindows(tier)} LIMIT ${WINDOWS_AT_A_TIME}`
  for (const { at } of await database.query<{ at: Date }>(sql, [new Date(from), new Date(to)])) {
    const isMine = await alone(database, client => mergeWindow(client, tier, at.getTime()), ONE_STATE)
    if (!isMine) return
  }
}

async function drop(database: HistoryDatabase, name: string): Promise<void> {
  try {
    await alone(database, client => dropPartition(client, name))
  } catch (error) {
    // Somebody reads it; the next minute will do as well.
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error
  }
}

/** What no table has a place for any more; a few rows, since what is large is dropped by partitions. */
async function forget(client: PoolClient, retention: HistoryRetention, now: number): Promise<void> {
  for (const tier of [MINUTES, HOURS, DAYS]) {
    const before = new Date(now - retention[tier.keeps] * 1000)
    await client.query(`DELETE FROM ${SCHEMA}.merged WHERE tier = $1 AND at < $2`, [tier.name, before])
  }
  const unseen = new Date(now - retention.minutes * 1000 - HOURS.width)
  await client.query(`DELETE FROM ${SCHEMA}.live WHERE seen < $1`, [unseen])
  await client.query(
    `
      DELETE FROM ${SCHEMA}.writers
      WHERE started < $1 AND NOT EXISTS (SELECT FROM ${SCHEMA}.live WHERE live.writer = writers.id)
    `,
    [unseen]
  )
  const lastDay = new Date(now - retention.days * 1000 - 2 * DAYS.width).toISOString().slice(0, 10)
  await client.query(`DELETE FROM ${SCHEMA}.series WHERE last_day < $1`, [lastDay])
}

/** Runs `work` in a transaction while no other instance does; false where another one is at it. */
async function alone(
  database: HistoryDatabase,
  work: (client: PoolClient) => Promise<void>,
  isolation?: string
): Promise<boolean> {
  return database.transaction(async client => {
    const { rows } = await client.query<{ isMine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS "isMine"', [LOCK])
    if (rows[0]?.isMine !== true) return false
    await work(client)
    return true
  }, isolation)
}
