import type { SeriesIdentity } from '../../store/identity.js'

const MOST_UNNAMED = 20_000
const MOST_NAMED = 50_000

/** Which series the database knows, as far as a process can tell, and which it has to be told of. */
export class SeriesNames {
  readonly #unnamed = new Map<number, SeriesIdentity>()
  readonly #named = new Map<number, SeriesIdentity>()

  /** Series that the database may not know yet. */
  get unnamed(): ReadonlyMap<number, SeriesIdentity> {
    return this.#unnamed
  }

  /** Something was measured in the series. */
  met(id: number, identity: SeriesIdentity): void {
    if (!this.#named.has(id)) this.#name(id, identity)
  }

  /** Says that the database knows these series. */
  areNamed(series: Iterable<readonly [id: number, identity: SeriesIdentity]>): void {
    for (const [id, identity] of series) {
      this.#unnamed.delete(id)
      this.#named.set(id, identity)
    }
    // Naming them again costs little.
    if (this.#named.size > MOST_NAMED) this.#named.clear()
  }

  /** Says that the database may have forgotten the series. */
  nameAgain(): void {
    for (const [id, identity] of this.#named) this.#name(id, identity)
    this.#named.clear()
  }

  /** From here on each series is named once more when something is measured in it. */
  beginAnew(): void {
    this.#named.clear()
  }

  clear(): void {
    this.#unnamed.clear()
    this.#named.clear()
  }

  /** A flood of names that cannot be written must not fill the memory either. */
  #name(id: number, identity: SeriesIdentity): void {
    this.#unnamed.set(id, identity)
    if (this.#unnamed.size <= MOST_UNNAMED) return
    for (const oldest of this.#unnamed.keys()) {
      this.#unnamed.delete(oldest)
      return
    }
  }
}
