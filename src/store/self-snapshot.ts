import type { ExportReport } from '../spans/export/account.js'
import type { HistoryReport } from './history.js'

export type { ExportReport, HistoryReport }

/**
 * How much is measured. `WITHOUT_CONTEXT`: a resolver's call has no context of its own, so its SQL is attributed to the
 * operation alone. `SAMPLED`: besides, only a part of the calls is timed; all are counted.
 */
export type DetailName = 'FULL' | 'WITHOUT_CONTEXT' | 'SAMPLED'

/** What the monitor itself does and costs, since the process started where nothing else is said. */
export interface SelfSnapshot {
  /** Operations, resolver calls and spans of the SDK that were measured. */
  readonly spansProcessed: number
  /** Those that were not, for a fault or while measuring was off after too many: an operation is one then, with its calls. */
  readonly spansDropped: number
  /** Measurements that are in a series `(other)`, since there were too many names. */
  readonly overflowed: number
  /** Faults inside the monitor and values that it refused. */
  readonly faults: number
  /** Whether measuring is off now, after 100 faults in a row. */
  readonly isTripped: boolean
  /** Memory that the store takes, within about 20%; 0 where `self` was not asked for. */
  readonly storeBytes: number
  /** What measuring a span takes, timed on one in 256; 0 until the first was. */
  readonly nanosecondsPerSpan: number
  /**
   * Share of one core that the monitor's own work took in the last ten seconds. Not in it: collecting its garbage, what
   * contexts cost Node's promises, and reading the numbers.
   */
  readonly overhead: number
  /** Share of one core that it may take; null for any. */
  readonly budget: number | null
  readonly detail: DetailName
  /** Share of the resolver calls that are timed; the others are counted and add to `totalTime` what those took. */
  readonly sampleRate: number
  /** When `detail` or `sampleRate` last changed, ISO 8601. */
  readonly detailSince: string
  /** What became of the spans that ended; null where this package exports none, as with an SDK of the application's own. */
  readonly export: ExportReport | null
  /** How keeping history goes; null where it is off. */
  readonly history: HistoryReport | null
}
