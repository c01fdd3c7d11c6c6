import { shown } from '../lib/parse.js'
import { boundedName } from '../lib/text.js'

const NAME_LIMIT = 128
/** A day. A slip such as nanoseconds for seconds would spoil the sums of everything else. */
const LONGEST = 86_400e9

export type CacheOutcome = 'hit' | 'miss'

/** Where calls of caches go. */
export interface CacheSink {
  accepts(): boolean
  /** What the sink's own work is timed with, now and then. */
  readonly meter: { readonly cacheCalls: { choose(): boolean; time(work: () => void): void } }
  /** A call of the cache `name` that took `duration` nanoseconds. */
  cached(outcome: CacheOutcome, name: string, duration: number): void
  /** Takes a value that is no measurement; must not throw. */
  refused(error: Error): void
  /** Takes a fault of the monitor's own; must not throw. */
  caught(error: unknown): void
}

/** Counts a call of a cache that took `seconds`. Never throws: what is no duration is dropped and counted. */
export function trackCache(sink: CacheSink, outcome: CacheOutcome, seconds: number, name: string): void {
  if (!sink.accepts()) return
  const { cacheCalls } = sink.meter
  if (!cacheCalls.choose()) {
    record(sink, outcome, seconds, name)
    return
  }
  cacheCalls.time(() => {
    record(sink, outcome, seconds, name)
  })
}

function record(sink: CacheSink, outcome: CacheOutcome, seconds: number, name: string): void {
  try {
    const slip = slipIn(outcome, seconds, name)
    if (slip === undefined) sink.cached(outcome, boundedName(name, NAME_LIMIT), nanosecondsOf(seconds))
    else sink.refused(slip)
  } catch (error) {
    sink.caught(error)
  }
}

/** What is wrong with a call; its types are those of a caller that no compiler has checked. */
function slipIn(outcome: CacheOutcome, seconds: unknown, name: unknown): Error | undefined {
  if (typeof name !== 'string') {
    return new TypeError(`the cache of a ${outcome} is called ${typed(name)}: expected text`)
  }
  if (typeof seconds !== 'number') {
    return new TypeError(`a cache ${outcome} took ${typed(seconds)}: expected a number of seconds from 0 to 86400`)
  }
  const duration = nanosecondsOf(seconds)
  if (duration >= 0 && duration <= LONGEST) return undefined
  return new RangeError(`a cache ${outcome} took ${shown(seconds)}: expected seconds from 0 to 86400`)
}

function nanosecondsOf(seconds: number): number {
  return Math.round(seconds * 1e9)
}

function typed(value: unknown): string {
  const isPlain = value !== null && typeof value !== 'object' && typeof value !== 'function'
  return isPlain ? `${shown(value)}, a ${typeof value}` : shown(value)
}
