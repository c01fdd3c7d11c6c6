import { setTimeout as delay } from 'node:timers/promises'
import type { TransactionClient } from '../../database/transaction-request.js'
import type { HistoryDatabase } from './database.js'
import { TABLES_BUSY } from '../problems.js'

/** Any number will do, as long as all instances use the same one. ASCII for 'MPEC'. */
const LOCK = 0x4d504543
/** Milliseconds. Nobody waits inside of Postgres, where whoever waits for a lock holds a connection and others up. */
const PAUSE = 25
const PATIENCE = 10_000

/** Runs `work` in a transaction while no other instance does; false where another one is at it. */
export async function alone(
  database: HistoryDatabase,
  work: (client: TransactionClient) => Promise<void>,
  isolation?: string
): Promise<boolean> {
  return database.transaction(async client => {
    const { rows } = await client.query<{ isMine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS "isMine"', [LOCK])
    if (rows[0]?.isMine !== true) return false
    await work(client)
    return true
  }, isolation)
}

/**
 * Runs `work` like that, once it is this instance's turn.
 *
 * @throws Error TABLES_BUSY where others have been at it for ten seconds
 */
export async function inTurn(
  database: HistoryDatabase,
  work: (client: TransactionClient) => Promise<void>
): Promise<void> {
  const until = performance.now() + PATIENCE
  while (!(await alone(database, work))) {
    if (performance.now() > until) {
      const busy = new Error('other instances have been changing the tables for ten seconds')
      throw Object.assign(busy, { code: TABLES_BUSY })
    }
    await delay(PAUSE * (1 + Math.random()), undefined, { ref: false })
  }
}
