import { isOfConnection, problemOf } from './problems.js'
import type { HistoryLog } from './status.js'

/**
 * Something that is done beside writing, again and again. That it fails is said the second time in a row; that there is
 * no connection is said where something is to be written.
 */
export class Chore {
  problem: string | null = null
  readonly #whatFails: string
  readonly #log: HistoryLog
  readonly #urlSetting: string | undefined
  #failures = 0

  /** `whatFails` says what is not so because of it, `urlSetting` where the address of the database stands. */
  constructor(whatFails: string, log: HistoryLog, urlSetting?: string) {
    this.#urlSetting = urlSetting
    this.#whatFails = whatFails
    this.#log = log
  }

  done(): void {
    this.#failures = 0
    this.problem = null
  }

  failed(error: unknown): void {
    if (isOfConnection(error)) return
    this.#failures += 1
    if (this.#failures < 2) return
    this.problem = `${this.#whatFails}: ${problemOf(error, this.#urlSetting)}`
    if (this.#failures === 2) this.#log('warn', {}, `PERFORMANCE: history: ${this.problem}`)
  }
}
