import type { Clock } from '../lib/clock.js'
import type { HistoryState } from '../store/history.js'
import { Chore } from './chore.js'
import { problemOf } from './problems.js'

const QUIET = 60e9

export type HistoryLog = (level: 'info' | 'warn', fields: object, message: string) => void

/** A log that never throws: what is said from a timer would end the process. `caught` is told what `log` threw. */
export function quiet(log: HistoryLog, caught?: (error: unknown) => void): HistoryLog {
  return (level, fields, message) => {
    try {
      log(level, fields, message)
    } catch (error) {
      caught?.(error)
    }
  }
}

/** How writing goes, and a line in the log when that changes: one a minute at most. */
export class HistoryStatus {
  state: HistoryState = 'STARTING'
  #problem: string | null = null
  /** Milliseconds since 1970. */
  lastWritten: number | null = null
  readonly #clock: Clock
  readonly #log: HistoryLog
  readonly #urlSetting: string | undefined
  #quietUntil = -Infinity
  /** Whether the log knows that something is wrong with writing. */
  #hasComplained = false
  readonly merging: Chore
  readonly lookingBack: Chore

  /** `urlSetting` says where the address of the database stands. */
  constructor(clock: Clock, log: HistoryLog, urlSetting?: string) {
    this.#urlSetting = urlSetting
    this.#clock = clock
    this.#log = log
    // What was written can be read all the same.
    this.merging = new Chore('what is written is not merged', log, urlSetting)
    this.lookingBack = new Chore('what was measured before this process is not known', log, urlSetting)
  }

  get problem(): string | null {
    return this.#problem ?? this.merging.problem ?? this.lookingBack.problem
  }

  written(): void {
    this.state = 'WRITING'
    this.#problem = null
    this.lastWritten = this.#clock.wall()
    if (!this.#hasComplained) return
    this.#hasComplained = false
    this.#log('info', {}, 'PERFORMANCE: history is written again')
  }

  failed(error: unknown): void {
    this.state = 'FAILING'
    this.#problem = problemOf(error, this.#urlSetting)
    this.#complain(`history cannot be written, what was measured waits: ${this.#problem}`)
  }

  /** For good. */
  stopped(problem: string): void {
    this.state = 'STOPPED'
    this.#problem = problem
    this.#log('warn', {}, `PERFORMANCE: history is not written any more: ${problem}`)
  }

  #complain(message: string): void {
    const now = this.#clock.monotonic()
    if (this.#hasComplained || now < this.#quietUntil) return
    this.#quietUntil = now + QUIET
    this.#hasComplained = true
    this.#log('warn', {}, `PERFORMANCE: ${message}`)
  }
}
