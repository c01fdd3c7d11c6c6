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

/** Gives the window that something measured at `now` is kept in. */
export interface Windows {
  at(now: number): Window
}

/** The window for a retention in seconds; 0 keeps everything. */
export function windowFor(retentionSeconds: number): Window {
  if (retentionSeconds === 0) return { width: 60 * SECOND, retention: Infinity, slots: SLOTS + 1 }
  const retention = retentionSeconds * SECOND
  const width = retention / SLOTS
  // Not by dividing again: that may round to a slot too many.
  if (width >= SHORTEST_SLOT) return { width, retention, slots: SLOTS + 1 }
  return { width: SHORTEST_SLOT, retention, slots: Math.ceil(retention / SHORTEST_SLOT) + 1 }
}

/**
 * A window that keeps everything from `origin` to `now` in as many slots as `window` has: where they would not do,
 * slots become twice as long, and twice again.
 */
export function widened(window: Window, origin: number, now: number): Window {
  let wider = window
  while (now >= fullAt(wider, origin)) wider = { ...wider, width: wider.width * 2 }
  return wider
}

/** When a window that keeps everything since `origin` runs out of slots; never where old slots are given up. */
export function fullAt(window: Window, origin: number): number {
  return window.retention === Infinity ? (epochAt(window, origin) + window.slots) * window.width : Infinity
}

export function epochAt(window: Window, time: number): number {
  return Math.floor(time / window.width)
}

/** The oldest epoch that is still reported at `epoch`; -Infinity where everything is kept. */
export function oldestEpoch(window: Window, epoch: number): number {
  return window.retention === Infinity ? -Infinity : epoch - window.slots + 1
}
