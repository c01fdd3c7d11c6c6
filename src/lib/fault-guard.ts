import type { Clock } from './clock.js'

const SECOND = 1e9

export interface FaultReport {
  /** Faults since the process started. */
  readonly faults: number
  /** True while the monitor has switched itself off. */
  readonly tripped: boolean
}

/** Says it and returns true, or returns false where it cannot be said yet. */
type Report = (message: string, error: unknown) => boolean

export interface FaultGuardOptions {
  clock: Clock
  /** Called at most once a minute, with the newest fault and what becomes of measuring. */
  report: Report
  /** Faults in a row after which the guard trips. */
  limit?: number
  /** Seconds until a tripped guard tries again. */
  rearmAfter?: number
}

/**
 * Keeps the monitor's own faults away from the application: it counts them, speaks of them at most once a minute, and
 * after `limit` in a row switches measuring off for a while.
 *
 *     if (!guard.open()) return
 *     try { measure(); guard.succeeded() } catch (error) { guard.caught(error) }
 */
export class FaultGuard {
  readonly #clock: Clock
  readonly #report: Report
  readonly #limit: number
  readonly #rearmAfter: number
  #faults = 0
  #inARow = 0
  /** The fault for which it has tripped. */
  #reason: unknown
  #trippedUntil = 0
  #quietUntil = 0

  constructor({ clock, report, limit = 100, rearmAfter = 60 }: FaultGuardOptions) {
    this.#clock = clock
    this.#report = report
    this.#limit = limit
    this.#rearmAfter = rearmAfter * SECOND
  }

  /** Whether measuring may go on; reads the clock only while tripped. */
  open(): boolean {
    if (this.#trippedUntil === 0) return true
    if (this.#clock.monotonic() < this.#trippedUntil) return false
    this.#trippedUntil = 0
    this.#inARow = 0
    this.#say(`measuring again: it was off for ${this.#seconds} s after ${this.#limit} faults in a row`, this.#reason)
    this.#reason = undefined
    return true
  }

  succeeded(): void {
    if (this.#inARow !== 0) this.#inARow = 0
  }

  caught(error: unknown): void {
    this.#faults += 1
    if (this.#trippedUntil !== 0) return
    this.#inARow += 1
    if (this.#inARow >= this.#limit) {
      this.#trippedUntil = this.#clock.monotonic() + this.#rearmAfter
      this.#reason = error
      this.#say(`${this.#limit} faults in a row: measuring is off for ${this.#seconds} s`, error)
    } else {
      this.#say(
        `a measurement failed inside the monitor and was dropped; ${this.#limit} in a row switch it off for ${this.#seconds} s`,
        error
      )
    }
  }

  /** Counts a value from outside that cannot be measured: the caller's slip, which never switches measuring off. */
  refused(error: unknown): void {
    this.#faults += 1
    this.#say('a value was refused and dropped', error)
  }

  get report(): FaultReport {
    return { faults: this.#faults, tripped: this.#trippedUntil !== 0 }
  }

  get #seconds(): number {
    return this.#rearmAfter / SECOND
  }

  /** What is not said since the minute is not over is in what is said next, or in the counts. */
  #say(message: string, error: unknown): void {
    const now = this.#clock.monotonic()
    if (now < this.#quietUntil) return
    try {
      if (!this.#report(message, error)) return
    } catch {
      // A logger that throws must not turn a swallowed fault into a loud one.
    }
    this.#quietUntil = now + 60 * SECOND
  }
}
