import type { Clock } from './clock.js'

const SECOND = 1e9

export interface FaultReport {
  /** Faults since the process started. */
  readonly faults: number
  /** True while the monitor has switched itself off. */
  readonly tripped: boolean
}

export interface FaultGuardOptions {
  clock: Clock
  /** Called at most once a minute with the newest fault, and whenever the guard trips or re-arms. */
  report: (message: string, error: unknown) => void
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
  readonly #report: (message: string, error: unknown) => void
  readonly #limit: number
  readonly #rearmAfter: number
  #faults = 0
  #inARow = 0
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
    this.#say('measuring again after its own faults', undefined)
    return true
  }

  succeeded(): void {
    if (this.#inARow !== 0) this.#inARow = 0
  }

  caught(error: unknown): void {
    this.#faults += 1
    if (this.#trippedUntil !== 0) return
    this.#inARow += 1
    const now = this.#clock.monotonic()
    if (this.#inARow >= this.#limit) {
      this.#trippedUntil = now + this.#rearmAfter
      this.#say(`${this.#limit} faults in a row: measuring is off for ${this.#rearmAfter / SECOND} s`, error)
    } else if (now >= this.#quietUntil) {
      this.#say('a measurement failed inside the monitor and was dropped', error)
    }
  }

  /** Counts a value from outside that cannot be measured: the caller's slip, which never switches measuring off. */
  refused(error: unknown): void {
    this.#faults += 1
    if (this.#clock.monotonic() >= this.#quietUntil) this.#say('a value was refused and dropped', error)
  }

  get report(): FaultReport {
    return { faults: this.#faults, tripped: this.#trippedUntil !== 0 }
  }

  #say(message: string, error: unknown): void {
    this.#quietUntil = this.#clock.monotonic() + 60 * SECOND
    try {
      this.#report(message, error)
    } catch {
      // A logger that throws must not turn a swallowed fault into a loud one.
    }
  }
}
