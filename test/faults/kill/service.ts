import { setTimeout as delay } from 'node:timers/promises'
import { createPool, getAllMetrics } from '../../../dist/index.js'
import { answerWith } from '../../peer.js'
import { INSERT, INSERT_ONCE, newLedger, note, type Ledger } from '../ledger.js'
import { APPLICATION, POOL_MAX } from './settings.js'

/** Writes without end and keeps a ledger of what it was told; how many writes were acknowledged is asked again and again. */
export type Question = 'acknowledged' | 'stop'

export interface Report {
  readonly ledger: Ledger
  readonly uncaught: number
  readonly requests: number
  readonly attempts: number
}

const LANES = 3
const ledger = newLedger()
let uncaught = 0
let next = 0
let isStopped = false
process.on('uncaughtException', () => (uncaught += 1))
process.on('unhandledRejection', () => (uncaught += 1))

const pool = createPool({
  connectionString: process.env.DATABASE_URL ?? '',
  max: POOL_MAX,
  application_name: APPLICATION
})

/** Writes in every way that there is; idle time inside a transaction and a slow statement are to be interrupted. */
const writers: readonly ((id: number) => Promise<unknown>)[] = [
  id => note(ledger, id, () => pool.query(INSERT, [id])),
  id => note(ledger, id, () => pool.query({ text: INSERT_ONCE, values: [id], idempotent: true })),
  id =>
    note(ledger, id, () =>
      pool.transaction(async client => {
        await client.query(INSERT, [id])
        await delay(15)
        await client.query('SELECT pg_sleep(0.01)')
      })
    ),
  id => note(ledger, id, () => pool.transaction(client => client.query(INSERT, [id]), { repeatable: true })),
  id => note(ledger, id, () => pool.transaction(client => client.query(INSERT_ONCE, [id]), { idempotent: true }))
]

async function lane(write: (id: number) => Promise<unknown>): Promise<void> {
  while (!isStopped) {
    const error = await write((next += 1))
    await delay(error === undefined ? 5 : 25)
  }
}

const lanes = writers.flatMap(write => Array.from({ length: LANES }, () => lane(write)))

answerWith(async question => {
  if (question !== 'stop') return ledger.acknowledged.length
  isStopped = true
  await Promise.all(lanes)
  await pool.end()
  const { requests, attempts } = getAllMetrics().pool
  return { ledger, uncaught, requests, attempts } satisfies Report
})
