import type { Clock } from '../../lib/clock.js'

/** Whole round trips differ by less; a clock that is right needs no correction. */
const TOLERANCE = 1000

/**
 * Milliseconds since 1970 by the clock of the database, so that all instances cut time alike. It goes on monotonically
 * between two answers of the database, whatever happens to the clock of this machine.
 */
export class DatabaseClock {
  readonly #clock: Clock
  #offset: number
  #hasAnswered = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#offset = clock.wall() - clock.monotonic() / 1e6
  }

  now(): number {
    return this.#clock.monotonic() / 1e6 + this.#offset
  }

  /** The monotonic nanoseconds of a time. */
  monotonicOf(time: number): number {
    return (time - this.#offset) * 1e6
  }

  /** Takes over what the database said a moment ago; answers by how many milliseconds it was wrong, the first time. */
  set(now: number): number {
    const offset = now - this.#clock.monotonic() / 1e6
    const wrong = this.#hasAnswered ? 0 : offset - this.#offset
    if (!this.#hasAnswered || Math.abs(offset - this.#offset) > TOLERANCE) this.#offset = offset
    this.#hasAnswered = true
    return wrong
  }
}
