import type { Clock } from '../lib/clock.js'
import { Work } from './work.js'

const SECONDS = 10

interface Second {
  /** Nanoseconds. */
  readonly elapsed: number
  readonly work: number
}

/** Meters the monitor itself: what it has done, and how long that took. */
export class SelfMeter {
  /** Operations, resolver calls and spans of the SDK that were measured. */
  spans = 0
  /** Those that were not, for a fault or while measuring was off after faults. */
  dropped = 0
  readonly operations: Work
  readonly calls: Work
  readonly spanStarts: Work
  readonly spanEnds: Work
  readonly cacheCalls: Work
  readonly #clock: Clock
  /** The newest last. */
  readonly #seconds: Second[] = []
  #tickedAt: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#tickedAt = clock.monotonic()
    this.operations = new Work(clock)
    this.calls = new Work(clock)
    this.spanStarts = new Work(clock)
    this.spanEnds = new Work(clock)
    this.cacheCalls = new Work(clock)
  }

  /** Ends a second, in which `background` nanoseconds of work were done that no request caused. */
  tick(background: number): void {
    const now = this.#clock.monotonic()
    const elapsed = now - this.#tickedAt
    if (elapsed <= 0) return
    this.#tickedAt = now
    const work = [...this.#ofSpans(), this.cacheCalls].reduce((sum, kind) => sum + kind.take(), background)
    this.#seconds.push({ elapsed, work })
    if (this.#seconds.length > SECONDS) this.#seconds.shift()
  }

  /** Share of one core that the monitor took in the last ten seconds. */
  get overhead(): number {
    return shareOf(this.#seconds)
  }

  /** The same for the last second. */
  get overheadNow(): number {
    return shareOf(this.#seconds.slice(-1))
  }

  /** Nanoseconds that a span typically takes: the newest times, in the mix of what has been done since the start. */
  get nanosecondsPerSpan(): number {
    if (this.spans === 0) return 0
    return this.#ofSpans().reduce((sum, { begun, nanoseconds }) => sum + begun * nanoseconds, 0) / this.spans
  }

  /** How many times were taken since the start or since `restart()`. */
  get timed(): number {
    return this.#ofSpans().reduce((sum, { timed }) => sum + timed, 0)
  }

  /** Times anew, for the work is another from here on. */
  restart(): void {
    for (const work of this.#ofSpans()) work.restart()
  }

  #ofSpans(): Work[] {
    return [this.operations, this.calls, this.spanStarts, this.spanEnds]
  }
}

function shareOf(seconds: readonly Second[]): number {
  const elapsed = seconds.reduce((sum, second) => sum + second.elapsed, 0)
  return elapsed === 0 ? 0 : seconds.reduce((sum, { work }) => sum + work, 0) / elapsed
}
