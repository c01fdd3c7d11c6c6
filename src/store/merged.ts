import type { PerformanceConfig } from '../config.js'
import type { Clock } from '../lib/clock.js'
import { identityKey } from './identity.js'
import { readSnapshot } from './read.js'
import { restore, type SeriesRollup } from './roll-up.js'
import type { SnapshotOptions, StoreSnapshot } from './snapshot.js'
import { Store } from './store.js'

/** Several instances know more names than one; what comes after that is in one series. */
const SERIES_LIMIT = 20_000

/** What a snapshot says of rollups, wherever they come from: it is read as if one store had measured them. */
export function snapshotOf(
  rollups: readonly SeriesRollup[],
  clock: Clock,
  config: PerformanceConfig,
  options: SnapshotOptions
): StoreSnapshot {
  const store = new Store({ clock, retentionPeriod: 0, seriesLimit: SERIES_LIMIT })
  for (const series of rollups) restore(store, identityKey(series.identity), series, store.now())
  return readSnapshot(store, config, options)
}
