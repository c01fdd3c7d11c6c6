import type { Clock } from '../lib/clock.js'
import { Samples } from './samples.js'

const CHOSEN_ONE_IN = 256
/** The first is chosen sooner, so that little is unknown for long. */
const FIRST = 16
/** After a change the time from before holds until there are so many new ones. */
const ENOUGH = 8

/** One kind of the monitor's own work: how often it is done, and how long it typically takes. */
export class Work {
  readonly #clock: Clock
  readonly #samples = new Samples()
  #begun = 0
  #next = FIRST
  /** What it took before `restart()`. */
  #before = 0
  /** How much of `#begun` has been taken. */
  #taken = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Counts the work, which is about to begin, and chooses about one in 256 to be timed. Not each 256th: work comes in
   * patterns.
   */
  choose(): boolean {
    this.#begun += 1
    if (this.#begun < this.#next) return false
    this.#next += Math.ceil(CHOSEN_ONE_IN * (0.5 + Math.random()))
    return true
  }

  /** Takes the time of a chosen one; see `spans/self-measurement.ts`. */
  measured(nanoseconds: number): void {
    this.#samples.add(Math.max(0, nanoseconds))
  }

  /** Does and times a chosen one that is in one piece. */
  time(work: () => void): void {
    const began = this.#clock.monotonic()
    work()
    const ended = this.#clock.monotonic()
    // Between two readings lies one reading; a third tells what it takes.
    this.measured(ended - began - (this.#clock.monotonic() - ended))
  }

  /** How often it was done since the start. */
  get begun(): number {
    return this.#begun
  }

  /** How many were timed since the start or since `restart()`. */
  get timed(): number {
    return this.#samples.count
  }

  /** Nanoseconds that it typically takes; 0 while unknown. */
  get nanoseconds(): number {
    return this.#samples.count < ENOUGH && this.#before > 0 ? this.#before : this.#samples.typical
  }

  /** Nanoseconds that it took altogether since this was last asked, an estimate. */
  take(): number {
    const times = this.#begun - this.#taken
    this.#taken = this.#begun
    return times * this.nanoseconds
  }

  /** Times anew: from here on the work is another. */
  restart(): void {
    this.#before = this.nanoseconds
    this.#samples.clear()
  }
}
