import type { TransactionClient } from '../../database/transaction-request.js'
import type { TimeRange } from '../../store/history.js'
import type { HistoryRetention } from '../settings.js'
import type { IsMerged } from './plan.js'
import { ceilTo, DAYS, floorTo, HOURS, MINUTES, SCHEMA } from './tables.js'
import { staleWindows } from './weights.js'

const TIERS = [MINUTES, HOURS, DAYS] as const

/**
 * What was merged of `range`, but for the windows to which something has come since, and those above them: they are read
 * from finer ones until they are merged again. Where nothing finer is kept they are as good as it gets.
 */
export async function mergedWindows(
  client: TransactionClient,
  { from, to }: TimeRange,
  retention: HistoryRetention,
  now: number
): Promise<IsMerged> {
  const { rows } = await client.query<{ tier: string; at: Date }>(
    `SELECT tier, at FROM ${SCHEMA}.merged WHERE at >= $1 AND at < $2`,
    [new Date(floorTo(DAYS.width, from)), new Date(to)]
  )
  const key = (tier: string, at: number): string => `${tier} ${at}`
  const merged = new Set(rows.map(({ tier, at }) => key(tier, at.getTime())))
  const minutesSince = floorTo(HOURS.width, now - retention.minutes * 1000)
  const hoursSince = floorTo(DAYS.width, now - retention.hours * 1000)
  for (const tier of TIERS) {
    // Whole windows: part of one would never be as much as was merged.
    const since = Math.max(floorTo(tier.width, from), tier === DAYS ? hoursSince : minutesSince)
    const { rows: stale } = await client.query<{ at: Date }>(staleWindows(tier), [
      new Date(since),
      new Date(ceilTo(tier.width, to))
    ])
    const above = TIERS.filter(({ width }) => width >= tier.width)
    for (const { at } of stale) {
      for (const { name, width } of above) merged.delete(key(name, floorTo(width, at.getTime())))
    }
  }
  return (tier, at) => merged.has(key(tier, at))
}
