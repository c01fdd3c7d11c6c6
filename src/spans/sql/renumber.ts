export interface Renumbering {
  reset(): void
  /** Notes a parameter; answers the number to show instead of its own, or 0. */
  see(number: number): number
  /** The largest parameter so far. */
  largest(): number
  /** Says that the parameters since the largest one was `before` have been folded away. */
  drop(before: number): void
}

/**
 * Without this, `a IN ($1, $2) AND b = $3` and `a IN ($1, $2, $3) AND b = $4` would stay two texts after their lists are
 * folded. A parameter that comes after a folded list is shown as if the list had had one element.
 */
export function createRenumbering(): Renumbering {
  // Column-wise: parameters above boundaries[i] are shown with shifts[i] less, until the next boundary.
  const boundaries: number[] = []
  const shifts: number[] = []
  let count = 0
  let maximum = 0

  return {
    reset() {
      count = 0
      maximum = 0
    },
    see(number) {
      if (number > maximum) maximum = number
      for (let i = count - 1; i >= 0; i--) {
        if (number > (boundaries[i] ?? 0)) return number - (shifts[i] ?? 0)
      }
      return 0
    },
    largest: () => maximum,
    drop(before) {
      if (maximum === before) return
      const shift = (count > 0 ? (shifts[count - 1] ?? 0) : 0) + maximum - before
      // The next element of the same list: one boundary a list keeps the search above short.
      if (count === 0 || boundaries[count - 1] !== before) count++
      boundaries[count - 1] = maximum
      shifts[count - 1] = shift
    }
  }
}
