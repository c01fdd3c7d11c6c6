import { setImmediate as otherWork } from 'node:timers/promises'
import { addTotals, type Sums, type Totals } from '../../store/sums.js'
import type { Entry } from './pack.js'

/** After so many rollups requests come first. */
const AT_A_TIME = 100

type SomeSums = Sums<SomeSums>
type SomeTotals = Totals<SomeSums>

/** Rollups that are added up series by series; requests come in between. */
export class Merging {
  readonly entries = new Map<number, Entry>()
  #added = 0

  async add(entry: Entry): Promise<void> {
    this.#added += 1
    if (this.#added % AT_A_TIME === 0) await otherWork()
    const found = this.entries.get(entry.id)
    if (found === undefined) {
      this.entries.set(entry.id, entry)
      return
    }
    addTotals(found.rollup as unknown as SomeTotals, entry.rollup as unknown as SomeTotals)
    const isNewer = entry.last !== null && (found.last === null || entry.last.at > found.last.at)
    if (isNewer) this.entries.set(entry.id, { ...found, last: entry.last })
  }
}
