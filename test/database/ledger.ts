import type { Test } from 'tap'
import type { PoolCounts } from '../../dist/database/counts.js'
import { createPool, type ResilientPool } from '../../dist/database/pool.js'
import { PoolGroup } from '../../dist/database/pool-group.js'
import type { CreatePoolOptions } from '../../dist/database/pool-options.js'
import { usePostgres } from '../postgres.js'
import { startWireProxy, through, type WireProxy } from './wire.js'

export interface Ledger {
  readonly pool: ResilientPool
  readonly proxy: WireProxy
  readonly counts: () => PoolCounts
  /** How often a row is in the table. */
  readonly present: (id: number) => Promise<number>
}

export const INSERT = 'INSERT INTO ledger VALUES ($1)'
export const UPSERT = 'INSERT INTO ledger VALUES ($1) ON CONFLICT (id) DO NOTHING'

/** A table, a pool that reaches it through a proxy, and a way around it. */
export async function useLedger(t: Test, options: CreatePoolOptions = {}): Promise<Ledger> {
  const postgres = await usePostgres(t)
  const proxy = await startWireProxy(t, postgres.port)
  const direct = createPool({ connectionString: postgres.url, max: 2 })
  await direct.query('CREATE TABLE ledger (id integer PRIMARY KEY)')
  const group = new PoolGroup()
  const pool = createPool({ connectionString: through(postgres.url, proxy), ...options }, group)
  t.teardown(() => Promise.all([direct.end(), pool.end()]))
  return {
    pool,
    proxy,
    counts: () => group.total.counts,
    present: async id => (await direct.query('SELECT FROM ledger WHERE id = $1', [id])).rowCount ?? 0
  }
}
