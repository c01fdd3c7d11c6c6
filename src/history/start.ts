import type { ProcessHistory } from '../store/history.js'
import { Store } from '../store/store.js'
import { problemOf } from './problems.js'
import { isPrometheus, type HistorySettings } from './settings.js'
import type { HistoryLog } from './status.js'

export interface StartHistoryOptions {
  readonly settings: HistorySettings
  readonly store: Store
  /** Seconds. */
  readonly retentionPeriod: number
  /** What this process has written under so far; it is added to. */
  readonly boots?: Set<string>
  /** What it throws goes to `caught`. */
  readonly log: HistoryLog
  /** Default: what `log` throws is dropped. */
  readonly caught?: (error: unknown) => void
}

export interface RunningHistory extends ProcessHistory {
  /** What was measured under this instance's name before this process; undefined where that is not known. */
  readonly earlier: Store | undefined
  /** Takes what has been measured, and writes it where that is possible now. */
  flush(): Promise<void>
  /** Merges what all instances have written, unless another one is at it. */
  compact(): Promise<void>
  /** Writes what there still is, in at most two seconds. */
  close(): Promise<void>
}

/**
 * Starts to keep history where the settings say. What is wrong with the database is logged and tried again.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID where the package that it needs is not installed, or the URL is none
 */
export async function startHistory({
  settings,
  store,
  retentionPeriod,
  boots = new Set(),
  log,
  caught
}: StartHistoryOptions): Promise<RunningHistory> {
  const { clock } = store
  if (isPrometheus(settings)) return readHistory(settings, store)
  const earlier = new Store({ clock, retentionPeriod })
  const { History } = await import('./postgres/history.js')
  const history = new History({ settings, clock, store, earlier, boots, log, caught })
  history.start()
  return {
    earlier,
    reader: history.reader,
    get report() {
      return history.report
    },
    problemOf: error => problemOf(error, settings.urlSetting),
    flush: () => history.flush(),
    compact: () => history.compact(),
    close: () => history.close()
  }
}

/** Metrics have brought it there, so nothing is written, and nothing of it comes back into this process. */
async function readHistory(settings: HistorySettings, { clock }: Store): Promise<RunningHistory> {
  const [{ PrometheusReader }, { prometheusProblemOf }] = await Promise.all([
    import('./prometheus/reader.js'),
    import('./prometheus/problems.js')
  ])
  const nothing = (): Promise<void> => Promise.resolve()
  return {
    earlier: undefined,
    reader: new PrometheusReader(settings, clock),
    report: { state: 'READING', problem: null, lastWritten: null, waitingMinutes: 0, droppedMinutes: 0 },
    problemOf: error => prometheusProblemOf(error, settings.urlSetting),
    flush: nothing,
    compact: nothing,
    close: nothing
  }
}
