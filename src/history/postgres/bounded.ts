import type { TransactionClient } from '../../database/transaction-request.js'
import { OVERFLOW } from '../../store/dimension.js'
import type { SeriesIdentity } from '../../store/identity.js'
import type { Kind } from '../../store/totals.js'
import { Merging } from '../rollups/merging.js'
import type { Entry } from '../rollups/pack.js'
import { seriesId } from '../rollups/series-id.js'
import { writeNames } from './statements.js'

/** Of one kind, service and window. An instance has 2,000 at a time; what clients can name must not fill the tables. */
const MOST = 10_000

/** A rollup and whose it is. */
export interface OwnedEntry extends Entry {
  readonly service: string
}

/** Keeps the series that most came to, and adds up what came to the others. */
export class Bounded {
  /** What came to the others, and to those that instances could not tell apart. */
  readonly rest = new Merging()
  readonly #most: number
  readonly #overflows = new Map<number, { readonly service: string; readonly kind: Kind }>()

  /** `parts` is in how many parts, each of them some of the series, the window comes. */
  constructor(parts = 1, most = MOST) {
    this.#most = Math.ceil(most / parts)
  }

  async keep(entries: Iterable<OwnedEntry>): Promise<Entry[]> {
    const groups = new Map<string, OwnedEntry[]>()
    for (const entry of entries) {
      const { service, kind } = entry
      const overflow = overflowOf(service, kind)
      if (entry.id === overflow) {
        await this.#addToRest(entry, overflow)
        continue
      }
      const key = JSON.stringify([service, kind])
      const group = groups.get(key) ?? []
      group.push(entry)
      groups.set(key, group)
    }
    const kept: Entry[] = []
    for (const group of groups.values()) {
      if (group.length > this.#most) group.sort((one, other) => other.rollup.times.count - one.rollup.times.count)
      kept.push(...group.slice(0, this.#most))
      for (const entry of group.slice(this.#most)) await this.#addToRest(entry, overflowOf(entry.service, entry.kind))
    }
    return kept
  }

  /** Sees to it that what was added up has a name; no instance may have needed one. */
  async name(client: TransactionClient): Promise<void> {
    // In the order in which instances lock them.
    const inOrder = [...this.#overflows].sort(([one], [other]) => one - other)
    for (const [id, { service, kind }] of inOrder) await writeNames(client, service, [[id, identityOf(kind)]])
  }

  async #addToRest(entry: OwnedEntry, id: number): Promise<void> {
    const { service, kind } = entry
    this.#overflows.set(id, { service, kind })
    await this.rest.add({ id, kind, rollup: entry.rollup, last: entry.last })
  }
}

function overflowOf(service: string, kind: Kind): number {
  return seriesId(service, identityOf(kind))
}

function identityOf(kind: Kind): SeriesIdentity {
  return { kind, name: OVERFLOW, labels: labelsOf(kind), isOverflow: true }
}

function labelsOf(kind: Kind): SeriesIdentity['labels'] {
  if (kind === 'operations') return { type: OVERFLOW }
  if (kind === 'queries') return { operation: OVERFLOW, table: null }
  if (kind === 'statements') return { operation: OVERFLOW, table: null, fingerprint: OVERFLOW, text: OVERFLOW }
  return null
}
