// Whole nanoseconds, and no more to read than performance.now(), which looks at what it is called on first.
import { hrtime } from 'node:process'

/**
 * The two readings of time that the monitor needs. Durations and windows come from the monotonic one alone, so a wall
 * clock that steps moves no measurement; the wall clock only labels what is shown to people.
 */
export interface Clock {
  /** Monotonic time in nanoseconds since an arbitrary start. */
  readonly monotonic: () => number
  /** Wall time in milliseconds since 1970-01-01T00:00:00Z. */
  readonly wall: () => number
}

/** The machine may have been up for long, and a number counts nanoseconds exactly for 104 days. */
const ORIGIN = hrtime()[0]

export const systemClock: Clock = {
  monotonic: () => {
    const time = hrtime()
    return (time[0] - ORIGIN) * 1e9 + time[1]
  },
  wall: () => Date.now()
}
