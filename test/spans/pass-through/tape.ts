/**
 * Choices read from bytes. What is past the end of the bytes is 0, the plainest choice, so that a case with fewer or
 * smaller bytes is a simpler case and fast-check can shrink it.
 */
export class Tape {
  readonly #bytes: readonly number[]
  #at = 0

  constructor(bytes: readonly number[]) {
    this.#bytes = bytes
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    const byte = this.#bytes[this.#at] ?? 0
    this.#at += 1
    return byte % limit
  }

  /** One of `items`; the first is the plainest. */
  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0]
  }

  /** True once in `times`, and never when the bytes are used up. */
  rarely(times: number): boolean {
    return this.below(times) === times - 1
  }
}
