// The global of that name is a getter, which would be a tenth of what a reading takes.
import { performance } from 'node:perf_hooks'

/**
 * The two readings of time that the monitor needs. Durations and windows come from the monotonic one alone, so a wall
 * clock that steps moves no measurement; the wall clock only labels what is shown to people.
 */
export interface Clock {
  /** Monotonic time in nanoseconds since an arbitrary start. */
  monotonic(): number
  /** Wall time in milliseconds since 1970-01-01T00:00:00Z. */
  wall(): number
}

export const systemClock: Clock = {
  monotonic: () => performance.now() * 1e6,
  wall: () => Date.now()
}
