import type { HistoryRetention } from '../settings.js'

export const SCHEMA = 'mercurius_performance'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export type TierName = 'minute' | 'hour' | 'day'

/** How finely the fleet's numbers are kept; widths in milliseconds. Windows begin at whole multiples of them in UTC. */
export interface FleetTier {
  readonly name: TierName
  readonly table: string
  /** What its windows are put together from. */
  readonly source: string
  readonly width: number
  readonly keeps: keyof HistoryRetention
}

export const MINUTES: FleetTier = {
  name: 'minute',
  table: 'fleet_minutes',
  source: 'minutes',
  width: MINUTE,
  keeps: 'minutes'
}
export const HOURS: FleetTier = {
  name: 'hour',
  table: 'fleet_hours',
  source: MINUTES.table,
  width: HOUR,
  keeps: 'hours'
}
export const DAYS: FleetTier = { name: 'day', table: 'fleet_days', source: HOURS.table, width: DAY, keeps: 'days' }

/** Tables that are cut by time, so that what is too old is dropped and not deleted. */
export interface PartitionedTable {
  readonly table: string
  /** Milliseconds of a partition. */
  readonly partition: number
  readonly keeps: keyof HistoryRetention
}

export const PARTITIONED: readonly PartitionedTable[] = [
  { table: 'minutes', partition: HOUR, keeps: 'minutes' },
  { table: 'fleet_minutes', partition: HOUR, keeps: 'minutes' },
  { table: 'fleet_hours', partition: DAY, keeps: 'hours' },
  { table: 'fleet_days', partition: 32 * DAY, keeps: 'days' }
]

/** The beginning of the window of `width` milliseconds that `time` is in. */
export function floorTo(width: number, time: number): number {
  return Math.floor(time / width) * width
}

export function ceilTo(width: number, time: number): number {
  return Math.ceil(time / width) * width
}
