import type pg from 'pg'
import { unpack } from '../../src/history/rollups/pack.js'
import type { HistorySettings } from '../../src/history/settings.js'
import type { Store } from '../../src/store/store.js'
import { recordResolver } from '../store/support.js'

/** Every measurement is one of each of these, so that half of it would be seen. */
export const NUMBERED = ['resolvers', 'operations', 'cacheHits'] as const

const DAY = 86_400

/** Measurement `number`: its time in nanoseconds is its number, so that a sum tells which ones are in it. */
export function recordNumbered(store: Store, number: number, name = 'numbered'): void {
  const measurement = { duration: number, failed: false, argsCount: null, traceId: null }
  recordResolver(store, `Query.${name}`, measurement)
  store.recordOperation(name, { type: 'query' }, measurement, 1)
  store.recordCache('hit', name, measurement)
}

export function settingsFor(url: string, instance: string, service = 'numbers'): HistorySettings {
  const retention = { minutes: DAY, hours: 30 * DAY, days: 400 * DAY }
  return { url, instance, service, version: null, retention }
}

/** The sum of the numbers from 1 to `last`. */
export function sumTo(last: number): number {
  return (last * (last + 1)) / 2
}

/** What was found of some measurements: of each kind how many, and the sum of their numbers. */
export type Found = Readonly<Record<string, { readonly count: number; readonly sum: number }>>

/** What minutes of the process `boot` the tables hold, read with nothing but SQL. */
export async function heldOf(pool: pg.Pool, boot: string): Promise<Found> {
  const { rows } = await pool.query<{ data: Buffer }>(
    `
      SELECT found.data
      FROM (
        SELECT at, writer, data FROM mercurius_performance.minutes
        UNION ALL
        SELECT at, writer, data FROM mercurius_performance.live
        WHERE (at, writer) NOT IN (SELECT at, writer FROM mercurius_performance.minutes)
      ) AS found
        JOIN mercurius_performance.writers ON writers.id = found.writer
      WHERE boot = $1
    `,
    [boot]
  )
  const found: Record<string, { count: number; sum: number }> = {}
  for (const kind of NUMBERED) found[kind] = { count: 0, sum: 0 }
  for (const { data } of rows) {
    for (const { kind, rollup } of await unpack(data)) {
      const of = (found[kind] ??= { count: 0, sum: 0 })
      of.count += rollup.times.count
      of.sum += rollup.times.sum
    }
  }
  return found
}

/** What is found where measurements 1 to `last` are there once each. */
export function allUpTo(last: number): Found {
  return Object.fromEntries(NUMBERED.map(kind => [kind, { count: last, sum: sumTo(last) }]))
}
