import { retriesIn } from './counts.js'
import type { PoolGroup, PoolReport } from './pool-group.js'

/** What the pools of a group have done and how they stand, with the waits that `waitsOf` knows of a row or of all. */
export function poolReport<Waits>(group: PoolGroup, all: Waits, waitsOf: (name: string) => Waits) {
  return {
    ...stateOf(group.total),
    waits: all,
    byName: [...group.byName].map(([name, report]) => ({ name, ...stateOf(report), waits: waitsOf(name) }))
  }
}

function stateOf({ counts, ...gauges }: PoolReport) {
  const { max, size, idle } = gauges
  return { ...gauges, saturation: max === 0 ? 0 : (size - idle) / max, ...counts, retries: retriesIn(counts) }
}
