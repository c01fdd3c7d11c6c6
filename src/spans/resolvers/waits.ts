/** What a call waited for: its SQL, and its SQL and nested calls together. */
export class Waits {
  /** SQL statements sent. */
  statements = 0
  readonly sql = new BusyTime()
  readonly all = new BusyTime()
}

/** The time in which at least one of several overlapping things was running. */
class BusyTime {
  #running = 0
  #since = 0
  #total = 0
  /** When the last that is over was over. */
  #lastEnd = 0
  /** When the last was over that ended while others ran. */
  #lastEndAmongOthers = 0

  started(at: number): void {
    if (this.#running === 0) this.#since = at
    this.#running += 1
  }

  ended(at: number): void {
    this.#running -= 1
    if (this.#running > 0) this.#lastEndAmongOthers = at
    else this.#over(at)
  }

  /** One that was started is as if it had not been. What others took that began while it ran is counted from where it began. */
  takenBack(): void {
    this.#running -= 1
    if (this.#running === 0 && this.#lastEndAmongOthers > this.#since) this.#over(this.#lastEndAmongOthers)
  }

  /**
   * Takes note of one that is known only now that it is over. The time before the last end counts as taken by what ended
   * then: which part of it was is not kept. So nothing is counted twice, though gaps between others may be left out.
   */
  found(from: number, to: number): void {
    const counted = this.#running > 0 ? this.#since : Infinity
    this.#total += Math.max(0, Math.min(to, counted) - Math.max(from, this.#lastEnd))
    this.#lastEnd = Math.max(to, this.#lastEnd)
  }

  /** The time up to `at`, what still runs included. */
  until(at: number): number {
    return this.#running > 0 ? this.#total + at - this.#since : this.#total
  }

  #over(at: number): void {
    this.#total += at - this.#since
    this.#lastEnd = at
  }
}
