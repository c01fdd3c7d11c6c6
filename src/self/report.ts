import type { FaultReport } from '../lib/fault-guard.js'
import type { ExportReport, HistoryReport, SelfSnapshot } from '../store/self-snapshot.js'
import type { Store } from '../store/store.js'
import type { DetailControl } from './detail-control.js'
import type { SelfMeter } from './meter.js'

export interface SelfReportSources {
  readonly meter: SelfMeter
  readonly control: DetailControl
  readonly store: Store
  readonly faults: FaultReport
  /** Share of a core; 0 for none. */
  readonly budget: number
  /** Undefined where nothing is exported. */
  readonly exported: ExportReport | undefined
  /** Undefined where it is off. */
  readonly history: HistoryReport | undefined
}

/** What the monitor says of itself; without `withBytes` it does not go through the store for its size. */
export function selfReport(
  { meter, control, store, faults, budget, exported, history }: SelfReportSources,
  withBytes: boolean
): SelfSnapshot {
  return {
    spansProcessed: meter.spans,
    spansDropped: meter.dropped,
    overflowed: store.overflowed,
    faults: faults.faults,
    isTripped: faults.tripped,
    storeBytes: withBytes ? store.bytes : 0,
    nanosecondsPerSpan: meter.nanosecondsPerSpan,
    overhead: meter.overhead,
    budget: budget === 0 ? null : budget,
    detail: control.detail.name,
    sampleRate: 1 / control.detail.sampleEvery,
    detailSince: new Date(store.wallTimeOf(control.since)).toISOString(),
    export: exported ?? null,
    history: history ?? null
  }
}
