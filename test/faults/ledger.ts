import { codeOf } from '../../dist/database/failure.js'
import type { createPool } from '../../dist/index.js'

/** What a caller was told of each write that it asked for. */
export interface Ledger {
  readonly acknowledged: number[]
  readonly failed: number[]
  readonly unknown: number[]
}

export function newLedger(): Ledger {
  return { acknowledged: [], failed: [], unknown: [] }
}

/** Does a write and notes down what its caller is told; the error, if there is one, comes back. */
export async function note(ledger: Ledger, id: number, write: () => Promise<unknown>): Promise<unknown> {
  try {
    await write()
    ledger.acknowledged.push(id)
    return undefined
  } catch (error) {
    const isOpen = codeOf(error) === 'MPERF_OUTCOME_UNKNOWN'
    ;(isOpen ? ledger.unknown : ledger.failed).push(id)
    return error
  }
}

export interface Balance {
  readonly acknowledged: number
  readonly failed: number
  readonly unknown: number
  /** Acknowledged and not there. */
  readonly lost: number
  /** Said to have failed, and there. */
  readonly ghosts: number
  /** There more than once. */
  readonly doubled: number
}

/** Compares what callers were told with what is in the table `ledger`. */
export async function balance(ledger: Ledger, pool: Pick<ReturnType<typeof createPool>, 'query'>): Promise<Balance> {
  const { rows } = await pool.query<{ id: number; times: number }>(
    'SELECT id, count(*)::integer AS times FROM ledger GROUP BY id'
  )
  const times = new Map(rows.map(row => [row.id, row.times]))
  return {
    acknowledged: ledger.acknowledged.length,
    failed: ledger.failed.length,
    unknown: ledger.unknown.length,
    lost: ledger.acknowledged.filter(id => !times.has(id)).length,
    ghosts: ledger.failed.filter(id => times.has(id)).length,
    doubled: rows.filter(row => row.times > 1).length
  }
}

/** No unique key, so that what is done twice is seen; an idempotent write looks first, in one statement. */
export const CREATE = 'CREATE TABLE ledger (id integer); CREATE TABLE keys (id integer PRIMARY KEY)'
export const INSERT = 'INSERT INTO ledger VALUES ($1)'
export const INSERT_ONCE = `
  WITH key AS (INSERT INTO keys VALUES ($1) ON CONFLICT DO NOTHING RETURNING id)
  INSERT INTO ledger SELECT id FROM key
`
