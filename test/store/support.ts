import { resolveConfig, type PerformanceConfig } from '../../src/config.js'
import type { Measurement } from '../../src/spans/measurement.js'
import { readSnapshot } from '../../src/store/read.js'
import type { SnapshotOptions, StoreSnapshot } from '../../src/store/snapshot.js'
import { Store } from '../../src/store/store.js'
import { manualClock } from '../clock.js'

const config: PerformanceConfig = resolveConfig({})
export const labels = { operation: 'SELECT', table: 'issues' }

export function call(seconds: number, failed = false): Measurement {
  return { duration: Math.round(seconds * 1e9), failed, argsCount: 1, traceId: 'f'.repeat(32) }
}

export function storeWith(retentionPeriod = 3600, seriesLimit = 2000) {
  const clock = manualClock()
  const store = new Store({ clock, retentionPeriod, seriesLimit })
  const read = (options: SnapshotOptions = {}): StoreSnapshot => readSnapshot(store, config, options)
  return { clock, store, read, countOf: (name: string) => read({ name }).resolvers[0]?.count ?? 0 }
}
