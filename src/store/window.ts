const SECOND = 1e9
const SLOTS = 60
/** Slots are never shorter than this. */
const SHORTEST_SLOT = SECOND

/**
 * How time is cut into slots. Slots are numbered by epoch, slot `e` holding [e * width, (e + 1) * width), and one more
 * than the retention needs is kept, so that nothing younger than the retention is ever missing.
 */
export interface Window {
  /** Nanoseconds of a slot. */
  readonly width: number
  /** How many slots are kept. */
  readonly slots: number
  /** Nanoseconds of the retention; Infinity keeps everything. */
  readonly retention: number
}

/** The window for a retention in seconds; 0 keeps everything. */
export function windowFor(retentionSeconds: number): Window {
  const retention = retentionSeconds === 0 ? Infinity : retentionSeconds * SECOND
  const width = retention === Infinity ? 60 * SECOND : Math.max(SHORTEST_SLOT, retention / SLOTS)
  return { width, retention, slots: Math.min(SLOTS, Math.ceil(retention / width)) + 1 }
}

export function epochAt(window: Window, time: number): number {
  return Math.floor(time / window.width)
}

/** The oldest epoch that is still reported at `epoch`; -Infinity where everything is kept. */
export function oldestEpoch(window: Window, epoch: number): number {
  return window.retention === Infinity ? -Infinity : epoch - window.slots + 1
}
