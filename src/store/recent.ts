import { BYTES } from './bytes.js'
import { traceIdText, type Measurement, type TraceId } from '../spans/measurement.js'

export const RECENT_LIMIT = 32
/**
 * What is kept of a call, in this order: its end, its duration, its arguments, and a code of its trace and its outcome.
 */
const NUMBERS = 4
const NO_COUNT = -1

/** One of the last calls of a series. */
export interface RecentCall {
  /** Seconds. */
  readonly executionTime: number
  /** When it ended, ISO 8601. */
  readonly timestamp: string
  readonly argsCount: number | null
  readonly failed: boolean
  readonly traceId: string | null
}

/**
 * The last 32 calls of a series, oldest overwritten first. Numbers beside each other, so that a call allocates nothing
 * and touches little memory; with room for one call at first, which is all that most names of a flood need.
 */
export class RecentCalls {
  /** Monotonic nanoseconds of the end come first; -Infinity where there was no call. */
  #numbers = [-Infinity, 0, 0, 0]
  /** Calls in a row that share a trace share a place here. */
  readonly #traceIds: TraceId[] = [null]
  #newestTrace = RECENT_LIMIT - 1
  /** Where the next call goes. */
  #next = 0
  #floor = -Infinity

  add(at: number, duration: number, failed: boolean, argsCount: number | null, traceId: TraceId): void {
    let index = this.#next
    if (index >= this.#numbers.length) index = this.#grow()
    const trace = this.#traceIds[this.#newestTrace] === traceId ? this.#newestTrace : this.#addTrace(traceId)
    const numbers = this.#numbers
    numbers[index] = at
    numbers[index + 1] = duration
    numbers[index + 2] = argsCount ?? NO_COUNT
    numbers[index + 3] = 2 * trace + (failed ? 1 : 0)
    this.#next = index + NUMBERS
  }

  /** Takes over the calls of `other`, so that the newest of both are listed. */
  absorb(other: RecentCalls): void {
    const calls = [...this.#calls(), ...other.#calls()].sort((one, later) => one.at - later.at)
    this.#numbers.fill(-Infinity)
    this.#next = 0
    for (const { at, duration, failed, argsCount, traceId } of calls) {
      this.add(at, duration, failed, argsCount, traceId)
    }
  }

  /** Lists nothing any more that ended at `at` or before. */
  forgetUntil(at: number): void {
    this.#floor = Math.max(this.#floor, at)
  }

  /** The end of the newest call in monotonic nanoseconds, -Infinity where there was none, and its duration. */
  get newest(): { readonly at: number; readonly duration: number } {
    const index = (this.#next - NUMBERS + this.#numbers.length) % this.#numbers.length
    return { at: this.#numbers[index] ?? -Infinity, duration: this.#numbers[index + 1] ?? 0 }
  }

  /** Memory that it takes, an estimate: other traces are taken to have other ids. */
  get bytes(): number {
    return BYTES.recent + this.#numbers.length * BYTES.element + this.#traceIds.length * (BYTES.element + BYTES.traceId)
  }

  /** The newest `limit` calls that ended after `since`, newest first. `toWall` turns monotonic time into epoch ms. */
  list(limit: number, since: number, toWall: (at: number) => number): RecentCall[] {
    const found: RecentCall[] = []
    for (const { at, duration, argsCount, failed, traceId } of this.#newestFirst()) {
      if (found.length >= limit || at <= since || at <= this.#floor) break
      found.push({
        executionTime: duration / 1e9,
        timestamp: new Date(toWall(at)).toISOString(),
        argsCount,
        failed,
        traceId: traceIdText(traceId)
      })
    }
    return found
  }

  #calls(): (Measurement & { readonly at: number })[] {
    return [...this.#newestFirst()].filter(({ at }) => at > this.#floor)
  }

  *#newestFirst(): Generator<Measurement & { readonly at: number }> {
    const numbers = this.#numbers
    const { length } = numbers
    for (let back = NUMBERS; back <= length; back += NUMBERS) {
      const index = (this.#next - back + length) % length
      const argsCount = numbers[index + 2] ?? NO_COUNT
      const code = numbers[index + 3] ?? 0
      yield {
        at: numbers[index] ?? -Infinity,
        duration: numbers[index + 1] ?? 0,
        argsCount: argsCount === NO_COUNT ? null : argsCount,
        failed: code % 2 === 1,
        traceId: this.#traceIds[Math.floor(code / 2)] ?? null
      }
    }
  }

  /** Makes room for all calls that are kept, or begins again at the oldest; returns where the next one goes. */
  #grow(): number {
    if (this.#numbers.length > NUMBERS) return 0
    const room = new Array<number>(NUMBERS * (RECENT_LIMIT - 1)).fill(-Infinity)
    this.#numbers = this.#numbers.concat(room)
    return NUMBERS
  }

  /** A place is used again when as many calls with other traces came after it as are kept at all. */
  #addTrace(traceId: TraceId): number {
    this.#newestTrace = (this.#newestTrace + 1) % RECENT_LIMIT
    this.#traceIds[this.#newestTrace] = traceId
    return this.#newestTrace
  }
}
