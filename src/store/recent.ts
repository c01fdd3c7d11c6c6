import { BYTES } from './bytes.js'
import { traceIdText, type Measurement, type TraceId } from '../spans/measurement.js'

export const RECENT_LIMIT = 32
/** How many elements V8 makes room for when a list of this kind grows: first 17, then 41. */
const FIRST_ROOM = 17
const FULL_ROOM = 41
const ARRAYS = 5

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
 * The last 32 calls of a series, oldest overwritten first. Parallel arrays, so that a call allocates nothing; with room
 * for one call at first, which is all that most names of a flood need.
 */
export class RecentCalls {
  /** Monotonic nanoseconds of the end of the call; -Infinity where there was none. */
  readonly #at: number[] = [-Infinity]
  readonly #duration: number[] = [0]
  readonly #failed: boolean[] = [false]
  readonly #argsCount: (number | null)[] = [null]
  readonly #traceId: TraceId[] = [null]
  #next = 0
  #floor = -Infinity

  add(at: number, { duration, failed, argsCount, traceId }: Measurement): void {
    const index = this.#next
    this.#at[index] = at
    this.#duration[index] = duration
    this.#failed[index] = failed
    this.#argsCount[index] = argsCount
    this.#traceId[index] = traceId
    this.#next = index === RECENT_LIMIT - 1 ? 0 : index + 1
  }

  /** Takes over the calls of `other`, so that the newest of both are listed. */
  absorb(other: RecentCalls): void {
    const calls = [...this.#calls(), ...other.#calls()].sort((one, later) => one.at - later.at)
    this.#next = 0
    for (const call of calls) this.add(call.at, call)
  }

  /** Lists nothing any more that ended at `at` or before. */
  forgetUntil(at: number): void {
    this.#floor = Math.max(this.#floor, at)
  }

  /** Memory that it takes, an estimate: calls in a row that share a trace share its id, others are taken not to. */
  get bytes(): number {
    const length = this.#at.length
    const room = length === 0 ? 0 : length <= FIRST_ROOM ? FIRST_ROOM : FULL_ROOM
    let ids = 0
    for (let index = 0; index < length; index += 1) {
      const id = this.#traceId[index]
      if (id !== null && id !== this.#traceId[index - 1]) ids += 1
    }
    return BYTES.recent + (length === 0 ? 0 : ARRAYS * (BYTES.array + room * BYTES.element)) + ids * BYTES.traceId
  }

  /** The newest `limit` calls that ended after `since`, newest first. `toWall` turns monotonic time into epoch ms. */
  list(limit: number, since: number, toWall: (at: number) => number): RecentCall[] {
    const found: RecentCall[] = []
    for (let back = 1; back <= this.#at.length && found.length < limit; back += 1) {
      const index = (this.#next - back + RECENT_LIMIT) % RECENT_LIMIT
      const at = this.#at[index] ?? -Infinity
      if (at <= since || at <= this.#floor) break
      found.push({
        executionTime: (this.#duration[index] ?? 0) / 1e9,
        timestamp: new Date(toWall(at)).toISOString(),
        argsCount: this.#argsCount[index] ?? null,
        failed: this.#failed[index] ?? false,
        traceId: traceIdText(this.#traceId[index] ?? null)
      })
    }
    return found
  }

  #calls(): (Measurement & { readonly at: number })[] {
    const calls = this.#at.map((at, index) => ({
      at,
      duration: this.#duration[index] ?? 0,
      failed: this.#failed[index] ?? false,
      argsCount: this.#argsCount[index] ?? null,
      traceId: this.#traceId[index] ?? null
    }))
    return calls.filter(({ at }) => at > this.#floor)
  }
}
