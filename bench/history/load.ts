import type { SeriesIdentity } from '../../src/store/identity.js'
import { newSums } from '../../src/store/roll-up.js'
import { seriesId } from '../../src/history/rollups/series-id.js'
import type { Entry } from '../../src/history/rollups/pack.js'
import { Sketch } from '../../src/store/sketch.js'
import { StatementSums } from '../../src/store/statement-sums.js'
import { CountSums, ResolverSums } from '../../src/store/sums.js'
import type { Kind } from '../../src/store/totals.js'

export const SERVICE = 'bench'
export const SERIES = 500
/** So many different minutes of each series; instances and minutes take turns with them. */
const VARIANTS = 24
const MOST_CALLS = 1000

/** How the series of a service are shared out among kinds: most are resolvers. */
const SHARES: readonly (readonly [kind: Kind, share: number])[] = [
  ['resolvers', 0.6],
  ['queries', 0.12],
  ['statements', 0.14],
  ['operations', 0.1],
  ['cacheHits', 0.04]
]

let state = 1
export const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())

export interface SeriesLoad {
  readonly identity: SeriesIdentity
  readonly variants: readonly Entry[]
}

/**
 * `count` series; calls a minute are spread log-uniformly from 1 to 1,000 over the series, times lognormally with a
 * spread of a factor of two around a median between 50 µs and 50 ms.
 */
export function seriesLoads(count: number): SeriesLoad[] {
  return Array.from({ length: count }, (_, index) => {
    const identity = identityOf(index, count)
    const calls = Math.max(1, Math.round(MOST_CALLS ** random()))
    const median = 50_000 * 1000 ** random()
    return { identity, variants: Array.from({ length: VARIANTS }, () => minuteOf(identity, calls, median)) }
  })
}

/** What one instance has in one minute. */
export function minute(loads: readonly SeriesLoad[]): Entry[] {
  return loads.flatMap(({ variants }) => variants[Math.floor(random() * variants.length)] ?? [])
}

function identityOf(index: number, count: number): SeriesIdentity {
  let before = 0
  const kind = SHARES.find(([, share]) => index < (before += share * count))?.[0] ?? 'resolvers'
  const name = `${kind}.of${index}`
  const table = `table${index}`
  if (kind === 'queries') return { kind, name, labels: { operation: 'SELECT', table }, isOverflow: false }
  if (kind === 'operations') return { kind, name, labels: { type: 'query' }, isOverflow: false }
  if (kind !== 'statements') return { kind, name, labels: null, isOverflow: false }
  const text = `SELECT id, title, body FROM ${table} WHERE project_id = $1 ORDER BY id LIMIT $2`
  return {
    kind,
    name,
    labels: { operation: 'SELECT', table, fingerprint: `fingerprint ${index}`, text },
    isOverflow: false
  }
}

function minuteOf(identity: SeriesIdentity, average: number, median: number): Entry {
  const times = new Sketch()
  const calls = Math.max(1, Math.round(average * (0.5 + random())))
  const sums = newSums(identity.kind)
  for (let call = 0; call < calls; call += 1) {
    const duration = Math.round(median * Math.exp(0.7 * normal()))
    times.record(duration)
    if (sums instanceof ResolverSums) sums.record(1, duration / 2, duration / 2, 1)
    if (sums instanceof CountSums) sums.counts.record(Math.floor(6 * random()))
    if (sums instanceof StatementSums) {
      const resolver = `Type.field${Math.floor(3 * random())}`
      sums.restore({ resolver, operation: 'Board', count: 1, errors: 0, time: duration, rows: 20 })
    }
  }
  const last = { at: Date.now(), duration: times.max }
  return { id: seriesId(SERVICE, identity), kind: identity.kind, rollup: { times, errors: 1, untimed: 0, sums }, last }
}
