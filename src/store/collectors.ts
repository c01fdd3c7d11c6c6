/**
 * How long a collector may keep silent before it counts as gone, unless it says that it asks more seldom: ten minutes.
 */
const PATIENCE = 600e9

interface Seen {
  readonly at: number
  readonly patience: number
}

/**
 * Who collects what the store has ever counted, and up to when each has it: what nobody asks for any more may be
 * forgotten before all have seen it only if they have ceased to ask. Times are monotonic nanoseconds.
 */
export class Collectors {
  readonly #seen = new Map<object, Seen>()

  /** Says that `collector` has got everything that was counted before `at`; it will ask again within `patience`. */
  collected(collector: object, at: number, patience = 0): void {
    // An answer that comes late is about less than what is known already.
    const newest = Math.max(at, this.#seen.get(collector)?.at ?? -Infinity)
    this.#seen.set(collector, { at: newest, patience: Math.max(PATIENCE, patience) })
  }

  /** Says that `collector` will not ask again. */
  left(collector: object): void {
    this.#seen.delete(collector)
  }

  /** Before when everything was collected by all who still ask; Infinity while nobody does. */
  before(now: number): number {
    let before = Infinity
    for (const [collector, { at, patience }] of this.#seen) {
      if (now - at > patience) this.#seen.delete(collector)
      else if (at < before) before = at
    }
    return before
  }
}
