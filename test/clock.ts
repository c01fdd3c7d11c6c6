import type { Clock } from '../src/lib/clock.js'

export interface ManualClock extends Clock {
  /** Moves the monotonic and the wall clock on. */
  advance(seconds: number): void
  /** Steps the wall clock alone, as an administrator or NTP would. */
  step(seconds: number): void
}

export function manualClock(): ManualClock {
  let now = 1e15
  let wall = Date.UTC(2026, 0, 1)
  return {
    monotonic: () => now,
    wall: () => wall,
    advance: seconds => {
      now += seconds * 1e9
      wall += seconds * 1000
    },
    step: seconds => {
      wall += seconds * 1000
    }
  }
}
