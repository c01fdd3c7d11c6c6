import type { TransactionClient } from '../../database/transaction-request.js'
import { alone } from './alone.js'
import type { HistoryDatabase } from './database.js'
import { mergeWindow } from './merge.js'
import { dropPartition, isOld, makePartitions, partitionsOf, type Partition } from './partitions.js'
import { codeOf, isUnreadable } from '../problems.js'
import type { HistoryRetention } from '../settings.js'
import { DAYS, floorTo, HOURS, MINUTES, SCHEMA, type FleetTier } from './tables.js'
import { staleWindows } from './weights.js'

const ONE_STATE = 'ISOLATION LEVEL REPEATABLE READ'
/** Milliseconds that instances have to write a minute after its end. What comes later is merged again. */
const GRACE = 15_000
/** So that what has piled up is worked off without holding up others for long. */
const WINDOWS_AT_A_TIME = 60
/** That cannot be read; after so many what came later waits. */
const MOST_UNREAD = 600
const LOCK_NOT_AVAILABLE = '55P03'
/** How much longer than it is kept what could not be merged waits for it, in milliseconds. */
const LONGEST_WAIT = DAYS.width

/**
 * Makes partitions, merges what all instances wrote: minutes, then hours out of minutes, then days out of hours, and
 * drops what is too old once all of it is merged. Each window is a transaction of its own, and merging it again gives the
 * same. One instance at a time does it, whichever comes first; the others find nothing to do. `now` is that of the
 * database, in milliseconds. Answers whether all of it is merged; where not, some is left or another instance is at it.
 *
 * @throws what the first window failed with that could not be merged, once all that does not depend on it is done
 */
export async function compact(database: HistoryDatabase, own: HistoryRetention, now: number): Promise<boolean> {
  const retention = await longestRetention(database, own)
  await makePartitions(database, now)
  const partitions = await database.transaction(partitionsOf)
  const end = now - GRACE
  const failures: unknown[] = []
  const isThrough =
    (await mergeStale(database, MINUTES, partitions, end, failures)) &&
    (await mergeStale(database, HOURS, partitions, end - MINUTES.width, failures)) &&
    (await mergeStale(database, DAYS, partitions, end - MINUTES.width, failures))
  const isDone = isThrough && failures.length === 0
  // What cannot be merged must not fill the disk.
  const before = isDone ? now : now - LONGEST_WAIT
  await dropOld(
    database,
    partitions.filter(partition => isOld(partition, retention, before))
  )
  // What a process that was killed wrote last is part of a minute for as long as that may be merged anew.
  await alone(database, client => forget(client, retention, before))
  if (failures.length > 0) throw failures[0]
  return isDone
}

/** The tables are everybody's: what one instance keeps for longer, another one must not drop. */
async function longestRetention(database: HistoryDatabase, own: HistoryRetention): Promise<HistoryRetention> {
  const [row] = await database.query<{ minutes: number | null; hours: number | null; days: number | null }>(
    `
      SELECT max(minutes_kept) AS minutes, max(hours_kept) AS hours, max(days_kept) AS days
      FROM ${SCHEMA}.writers
        JOIN ${SCHEMA}.live ON live.writer = writers.id
      WHERE seen > clock_timestamp() - interval '1 day'
    `
  )
  return {
    minutes: Math.max(own.minutes, row?.minutes ?? 0),
    hours: Math.max(own.hours, row?.hours ?? 0),
    days: Math.max(own.days, row?.days ?? 0)
  }
}

/**
 * Merges what there still is of it; false where some is left, or another instance is at it, so that what is put together
 * from it has to wait. It does not wait for what cannot be merged: that may be so for good, and once it can be merged
 * what is above is merged anew.
 */
async function mergeStale(
  database: HistoryDatabase,
  tier: FleetTier,
  partitions: readonly Partition[],
  end: number,
  failures: unknown[]
): Promise<boolean> {
  // Where what it is put together from has been dropped, little or nothing would be put in the place of what was merged.
  const from = partitions.find(({ table }) => table === tier.source)?.from
  if (from === undefined) return true
  const to = new Date(floorTo(tier.width, end))
  let next = from
  let merged = 0
  let unread = 0
  while (merged < WINDOWS_AT_A_TIME && unread < MOST_UNREAD) {
    const page = [new Date(next), to]
    const stale = await database.query<{ at: Date }>(`${staleWindows(tier)} LIMIT ${WINDOWS_AT_A_TIME}`, page)
    for (const { at } of stale) {
      try {
        const isMine = await alone(database, client => mergeWindow(client, tier, at.getTime()), ONE_STATE)
        if (!isMine) return false
        merged += 1
      } catch (error) {
        failures.push(error)
        // The next one would fail like it.
        if (!isUnreadable(error)) return true
        unread += 1
      }
    }
    const last = stale.at(-1)
    if (last === undefined || stale.length < WINDOWS_AT_A_TIME) return true
    // As many again where some cannot be read, which stay in front of all that came later.
    next = last.at.getTime() + tier.width
  }
  return unread > 0
}

/** In their order: what was merged of a minute must not go before the minute, which would be merged anew. */
async function dropOld(database: HistoryDatabase, partitions: readonly Partition[]): Promise<void> {
  try {
    for (const partition of partitions) {
      if (!(await alone(database, client => dropPartition(client, partition)))) return
    }
  } catch (error) {
    // Somebody reads it; the next minute will do as well.
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error
  }
}

/**
 * What is left of processes and names of which nothing is kept any more: few rows. A minute that could not be dropped yet
 * would be merged anew without what is forgotten of it.
 */
async function forget(client: TransactionClient, retention: HistoryRetention, now: number): Promise<void> {
  const partitions = await partitionsOf(client)
  const oldest = partitions.find(({ table }) => table === MINUTES.source)?.from ?? Infinity
  const unseen = new Date(Math.min(oldest, now - retention.minutes * 1000) - HOURS.width)
  await client.query(`DELETE FROM ${SCHEMA}.live WHERE seen < $1`, [unseen])
  await client.query(
    `
      DELETE FROM ${SCHEMA}.writers
      WHERE started < $1 AND NOT EXISTS (SELECT FROM ${SCHEMA}.live WHERE live.writer = writers.id)
    `,
    [unseen]
  )
  const lastDay = new Date(now - retention.days * 1000 - 2 * DAYS.width).toISOString().slice(0, 10)
  // One that is being named is in use.
  await client.query(
    `
      DELETE FROM ${SCHEMA}.series
      WHERE id IN (SELECT id FROM ${SCHEMA}.series WHERE last_day < $1 FOR UPDATE SKIP LOCKED)
    `,
    [lastDay]
  )
}
