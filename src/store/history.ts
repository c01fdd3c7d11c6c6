import type { SeriesIdentity } from './identity.js'
import type { SeriesRollup } from './roll-up.js'
import type { Kind, KindSums } from './totals.js'
import type { Rollup } from './rollup.js'

/** Milliseconds since 1970, `to` not included. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** Which series are asked for. */
export interface SeriesChoice {
  readonly kinds: readonly Kind[]
  /** Only those of this name. */
  readonly name?: string
  /** Only what this instance measured; otherwise what all did. */
  readonly instance?: string
}

export interface TimelinePoint {
  /** When it begins, milliseconds since 1970. */
  readonly at: number
  readonly identity: SeriesIdentity
  readonly rollup: Rollup<KindSums[Kind]>
}

export interface InstanceReport {
  readonly name: string
  /** Of the service that it is an instance of. */
  readonly version: string | null
  /** Milliseconds since 1970. */
  readonly since: number
  readonly lastSeen: number
  /** Whether it has reported within the last thirty seconds and has not said that it ends. */
  readonly isReporting: boolean
}

/** How finely something is known for how long, both in seconds. */
export interface Tier {
  readonly width: number
  readonly retention: number
}

/** What was measured by all instances of the service, and before this process; where it is kept is the reader's affair. */
export interface HistoryReader {
  /** The instance that this process is. */
  readonly instance: string
  /** From the finest to the coarsest. */
  readonly tiers: readonly Tier[]
  /** The same for what one instance measured. */
  readonly ownTiers: readonly Tier[]
  /** Now, by the clock that the times of what is kept come from. */
  now(): number
  /** One rollup for each series, of the whole range. */
  rollups(choice: SeriesChoice, range: TimeRange): Promise<SeriesRollup[]>
  /** One rollup for each series and step of `step` milliseconds in which anything came to it. */
  timeline(choice: SeriesChoice, range: TimeRange, step: number): Promise<TimelinePoint[]>
  /** Who has reported within the retention of the finest tier, who began last first. */
  instances(): Promise<InstanceReport[]>
}

/** What became of what was measured. `WRITING`: all is well. `FAILING`: it is kept and tried again. */
export type HistoryState = 'STARTING' | 'WRITING' | 'FAILING' | 'STOPPED' | 'READING'

/** How keeping history goes. */
export interface HistoryReport {
  readonly state: HistoryState
  /** What is wrong and what to do; null while nothing is. */
  readonly problem: string | null
  /** When something was last written, ISO 8601. */
  readonly lastWritten: string | null
  /** Minutes that wait to be written. */
  readonly waitingMinutes: number
  /** Minutes that were given up since too many waited. */
  readonly droppedMinutes: number
}

/** What a process has of history. */
export interface ProcessHistory {
  readonly reader: HistoryReader
  readonly report: HistoryReport
  /** What is wrong with where it is kept, in one line that quotes nothing. */
  problemOf(error: unknown): string
}
