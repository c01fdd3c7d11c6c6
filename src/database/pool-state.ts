import type { PoolClient } from 'pg'
import { newCounts } from './counts.js'
import type { GroupedPool, PoolGauges, PoolGroup } from './pool-group.js'
import type { RequestPool } from './request.js'

/** What is asked of the pool whose state this is. */
export interface StatedPool extends Pick<RequestPool, 'acquire'> {
  readonly totalCount: number
  readonly idleCount: number
}

/** What a pool counts, and what it shares with the others of its group. */
export class PoolState implements RequestPool, GroupedPool {
  readonly name: string
  counts = newCounts()
  waiting = 0
  isEnding = false
  readonly #max: number
  readonly #pool: StatedPool
  readonly #group: PoolGroup
  readonly #lost = new WeakSet<PoolClient>()

  constructor(pool: StatedPool, { name, max }: { readonly name: string; readonly max: number }, group: PoolGroup) {
    this.name = name
    this.#max = max
    this.#pool = pool
    this.#group = group
    group.join(this)
  }

  ended(): void {
    // What settles later counts there at once.
    this.counts = this.#group.leave(this)
  }

  gauges(): PoolGauges {
    const { totalCount: size, idleCount: idle } = this.#pool
    return { max: this.#max, size, idle, waiting: this.waiting }
  }

  acquire(callback: Parameters<RequestPool['acquire']>[0]): void {
    this.#pool.acquire(callback)
  }

  requested(): void {
    this.counts.requests += 1
    this.#group.budget.deposit()
  }

  mayRetry(): boolean {
    if (this.#group.budget.take()) return true
    this.counts.retriesRefused += 1
    return false
  }

  waited(milliseconds: number): void {
    this.#group.waited(this.name, milliseconds * 1e6)
  }

  lost(client: PoolClient): void {
    if (this.#lost.has(client)) return
    this.#lost.add(client)
    this.counts.connectionsLost += 1
  }

  describe(): string {
    const { max, size, idle, waiting } = this.gauges()
    return `${size - idle} of ${max} connections in use, ${waiting} callers waiting`
  }
}
