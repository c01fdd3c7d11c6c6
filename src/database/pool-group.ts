import { addCounts, newCounts, type PoolCounts } from './counts.js'
import { RetryBudget } from './retry-budget.js'

const MOST_NAMES = 100
const OTHER = '(other)'

/** How a pool stands now. */
export interface PoolGauges {
  readonly max: number
  /** Connections that there are, those being made included. */
  readonly size: number
  readonly idle: number
  /** Callers that wait for a connection. */
  readonly waiting: number
}

export interface GroupedPool {
  readonly name: string
  readonly counts: PoolCounts
  gauges(): PoolGauges
}

export interface PoolReport extends PoolGauges {
  readonly counts: PoolCounts
}

/** The pools that share a retry budget: those of a process. */
export class PoolGroup {
  readonly budget = new RetryBudget()
  readonly #waited: (pool: string, nanoseconds: number) => void
  readonly #pools = new Set<GroupedPool>()
  /** What the pools have done that have ended. */
  readonly #former = newCounts()

  /** `waited` is told how long each caller waited for a connection of which pool; it must not throw. */
  constructor(waited: (pool: string, nanoseconds: number) => void = () => undefined) {
    this.#waited = waited
  }

  join(pool: GroupedPool): void {
    this.#pools.add(pool)
  }

  /** What it has done goes on counting for the group; returns where it counts what it has yet to do. */
  leave(pool: GroupedPool): PoolCounts {
    if (this.#pools.delete(pool)) addCounts(this.#former, pool.counts)
    return this.#former
  }

  waited(pool: string, nanoseconds: number): void {
    this.#waited(pool, nanoseconds)
  }

  /** Together, those that have ended included. */
  get total(): PoolReport {
    return sumOf(this.#pools, this.#former)
  }

  /** Those that have not ended; pools of one name are one, and those of too many names are `(other)`. */
  get byName(): ReadonlyMap<string, PoolReport> {
    return new Map([...this.#rows()].map(([name, pools]) => [name, sumOf(pools)]))
  }

  /** Tells in which row of `byName` the pools of a name are; those that had too many names for one are in `(other)`. */
  get rowOf(): (name: string | undefined) => string | undefined {
    const rows = new Map<string, string>()
    for (const [row, pools] of this.#rows()) for (const { name } of pools) rows.set(name, row)
    return name => (name === undefined ? OTHER : rows.get(name))
  }

  #rows(): Map<string, GroupedPool[]> {
    const rows = new Map<string, GroupedPool[]>()
    for (const pool of this.#pools) {
      const row = rows.has(pool.name) || rows.size < MOST_NAMES ? pool.name : OTHER
      const alike = rows.get(row)
      if (alike === undefined) rows.set(row, [pool])
      else alike.push(pool)
    }
    return rows
  }
}

function sumOf(pools: Iterable<GroupedPool>, former?: PoolCounts): PoolReport {
  const counts = newCounts()
  if (former !== undefined) addCounts(counts, former)
  const sum = { max: 0, size: 0, idle: 0, waiting: 0 }
  for (const pool of pools) {
    addCounts(counts, pool.counts)
    const { max, size, idle, waiting } = pool.gauges()
    sum.max += max
    sum.size += size
    sum.idle += idle
    sum.waiting += waiting
  }
  return { ...sum, counts }
}
