const KEPT = 128
const LARGEST_MULTIPLE = 8

/** The newest 128 values of something. */
export class Samples {
  readonly #values = new Float64Array(KEPT)
  #typical: number | undefined = 0
  /** How many were added since the start or since `clear()`. */
  count = 0

  add(value: number): void {
    this.#values[this.count % KEPT] = value
    this.count += 1
    this.#typical = undefined
  }

  clear(): void {
    this.count = 0
    this.#typical = 0
  }

  /**
   * Their mean, in which no value counts for more than eight times the median: a collection of garbage that fell into
   * one hardly shows, and work that is sometimes dear counts as such. 0 where there are none.
   */
  get typical(): number {
    return (this.#typical ??= meanOf(this.#values.slice(0, Math.min(this.count, KEPT)).sort()))
  }
}

function meanOf(sorted: Float64Array): number {
  const largest = LARGEST_MULTIPLE * (sorted[Math.floor(sorted.length / 2)] ?? 0)
  return sorted.reduce((sum, value) => sum + Math.min(value, largest), 0) / sorted.length
}
