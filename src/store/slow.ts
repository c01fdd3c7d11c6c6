import { copyOf } from '../lib/text.js'
import { isExported, traceIdText, type TraceId } from '../spans/measurement.js'

export const SLOW_LIMIT = 100
const TEXT_LIMIT = 1024

export type SlowKind = 'RESOLVER' | 'QUERY' | 'OPERATION'

/** Something that took longer than its threshold, as a snapshot lists it. */
export interface SlowCall {
  readonly kind: SlowKind
  /** As in its own list: `Type.field`, `SELECT issues`, the name of the operation. */
  readonly name: string
  /** SQL or GraphQL without its literals, at most 1,024 characters; null for a resolver. */
  readonly text: string | null
  /** Seconds. */
  readonly executionTime: number
  /** When it ended, ISO 8601. */
  readonly timestamp: string
  readonly failed: boolean
  readonly traceId: string | null
  /** Whether the trace leaves the process. */
  readonly isExported: boolean
}

interface Kept {
  readonly kind: SlowKind
  readonly name: string
  readonly text: string | null
  /** Monotonic nanoseconds. */
  readonly at: number
  /** Nanoseconds. */
  readonly duration: number
  readonly failed: boolean
  readonly traceId: TraceId
}

/** The newest slow resolvers, queries and operations of the process, at most 100. */
export class SlowCalls {
  readonly #calls: Kept[] = []
  #next = 0

  /** `text` must be free of literals. */
  add(
    kind: SlowKind,
    name: string,
    text: string | null,
    at: number,
    { duration, failed, traceId }: Pick<Kept, 'duration' | 'failed' | 'traceId'>
  ): void {
    // A copy: a part of a text would keep the whole of it.
    const kept = text === null || text.length <= TEXT_LIMIT ? text : copyOf(text.slice(0, TEXT_LIMIT))
    this.#calls[this.#next] = { kind, name, text: kept, at, duration, failed, traceId }
    this.#next = (this.#next + 1) % SLOW_LIMIT
  }

  /** The newest `limit` that ended after `since`, newest first. `toWall` turns monotonic time into epoch ms. */
  list(limit: number, since: number, toWall: (at: number) => number): SlowCall[] {
    const newestFirst = [...this.#calls.slice(this.#next), ...this.#calls.slice(0, this.#next)].reverse()
    return newestFirst
      .filter(({ at }) => at > since)
      .slice(0, limit)
      .map(({ kind, name, text, at, duration, failed, traceId }) => ({
        kind,
        name,
        text,
        executionTime: duration / 1e9,
        timestamp: new Date(toWall(at)).toISOString(),
        failed,
        traceId: traceIdText(traceId),
        isExported: isExported(traceId)
      }))
  }
}
