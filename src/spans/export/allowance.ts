import type { Clock } from '../../lib/clock.js'

const MINUTE = 60e9

/** How many traces a minute may be exported for being slow or failed. */
export class Allowance {
  readonly #clock: Clock
  readonly #perMinute: () => number
  #minuteEnds = 0
  #taken = 0

  constructor(clock: Clock, perMinute: () => number) {
    this.#clock = clock
    this.#perMinute = perMinute
  }

  /** Whether anything of this minute's is left. */
  get isLeft(): boolean {
    const now = this.#clock.monotonic()
    if (now >= this.#minuteEnds) {
      this.#minuteEnds = now + MINUTE
      this.#taken = 0
    }
    return this.#taken < this.#perMinute()
  }

  /** Takes one; false where there is none left. */
  take(): boolean {
    if (!this.isLeft) return false
    this.#taken += 1
    return true
  }
}
