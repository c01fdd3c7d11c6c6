import type { SeriesIdentity } from '../../store/identity.js'
import type { SeriesRollup } from '../../store/roll-up.js'
import { addTotals, type Sums, type Totals } from '../../store/sums.js'
import type { Entry } from './pack.js'

type SomeSums = Sums<SomeSums>
type SomeTotals = Totals<SomeSums>

/** What has been measured in one minute so far: at most as many series as the store has. */
export class OpenMinute {
  /** When it begins, milliseconds since 1970. */
  at: number
  readonly #entries = new Map<number, Entry & { readonly identity: SeriesIdentity }>()

  constructor(at: number) {
    this.at = at
  }

  add(id: number, { identity, rollup, last }: SeriesRollup): void {
    const found = this.#entries.get(id)
    const entry = {
      id,
      identity,
      kind: identity.kind,
      rollup: found?.rollup ?? rollup,
      last: last ?? found?.last ?? null
    }
    this.#entries.set(id, entry)
    if (found === undefined) return
    addTotals(found.rollup as unknown as SomeTotals, rollup as unknown as SomeTotals)
    rollup.sums.reset()
  }

  get entries(): Iterable<Entry & { readonly identity: SeriesIdentity }> {
    return this.#entries.values()
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  /** Gives back what its sums hold of something shared; to be called when it is used no more. */
  forget(): void {
    for (const { rollup } of this.#entries.values()) rollup.sums.reset()
    this.#entries.clear()
  }
}
