import type { Clock } from '../../lib/clock.js'

const MINUTE = 60e9

/** How many traces a minute may be exported for being slow or failed. Failed ones get half of it, for one client can fail at will. */
export class Allowance {
  readonly #clock: Clock
  readonly #perMinute: () => number
  #minuteEnds = 0
  #taken = 0
  #takenByFailed = 0

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
      this.#takenByFailed = 0
    }
    return this.#taken < this.#perMinute()
  }

  /** Takes one for a failed or a slow operation; false where there is none left for it. */
  take(failed: boolean): boolean {
    if (!this.isLeft || (failed && this.#takenByFailed >= Math.ceil(this.#perMinute() / 2))) return false
    this.#taken += 1
    if (failed) this.#takenByFailed += 1
    return true
  }
}
