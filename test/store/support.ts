import { resolveConfig, type PerformanceConfig } from '../../src/config.js'
import type { Measurement, QueryMeasurement } from '../../src/spans/measurement.js'
import type { Statement } from '../../src/spans/sql/statement.js'
import { readSnapshot } from '../../src/store/read.js'
import type { SnapshotOptions, StoreSnapshot } from '../../src/store/snapshot.js'
import { Store } from '../../src/store/store.js'
import { manualClock } from '../clock.js'

const config: PerformanceConfig = resolveConfig({})

export function call(seconds: number, failed = false): Measurement {
  return { duration: Math.round(seconds * 1e9), failed, argsCount: 1, traceId: 'f'.repeat(32) }
}

/** What a call of a resolver cost; what is left out was nothing. */
export interface CallCost extends Measurement {
  readonly statements?: number
  readonly sqlTime?: number
  readonly selfTime?: number
}

/** Records one call of the resolver `name`, which ends now. */
export function recordResolver(store: Store, name: string, cost: CallCost): void {
  const { duration, failed, argsCount, traceId, statements = 0, sqlTime = 0, selfTime = 0 } = cost
  const now = store.clock.monotonic()
  store.callWriter(name).write(now, duration, failed, argsCount ?? 0, traceId, statements, sqlTime, selfTime)
}

/** A statement on `table`; those of one table are one, unless they are given fingerprints of their own. */
export function select(table: string, fingerprint = `fingerprint of ${table}`): Statement {
  return { operation: 'SELECT', table, name: `SELECT ${table}`, fingerprint, text: `SELECT * FROM ${table}` }
}

/** A query that a resolver sent, or the operation alone, or who knows. */
export function sent(seconds: number, from: Partial<QueryMeasurement> = {}): QueryMeasurement {
  return { ...call(seconds), rows: null, resolver: null, operation: null, ...from }
}

export function storeWith(retentionPeriod = 3600, seriesLimit = 2000) {
  const clock = manualClock()
  const store = new Store({ clock, retentionPeriod, seriesLimit })
  const read = (options: SnapshotOptions = {}): StoreSnapshot => readSnapshot(store, config, options)
  return { clock, store, read, countOf: (name: string) => read({ name }).resolvers[0]?.count ?? 0 }
}
