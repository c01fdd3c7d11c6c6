import type { HistoryRetention } from '../settings.js'
import { ceilTo, DAYS, floorTo, HOURS, MINUTES, type FleetTier, type TierName } from './tables.js'
import type { TimeRange } from '../../store/history.js'

/** Where the numbers of a range are to be read: windows that were merged, and minutes that are still each by itself. */
export interface Plan {
  readonly merged: readonly { readonly tier: FleetTier; readonly at: readonly number[] }[]
  readonly minutes: readonly number[]
}

export type IsMerged = (tier: TierName, at: number) => boolean

/**
 * A range made of whole windows of what is still kept of it: of what is older than minutes are kept, hours or days begin
 * it and end it.
 */
export function wholeWindows({ from, to }: TimeRange, retention: HistoryRetention, now: number): TimeRange {
  const widthAt = (time: number): number => finestAt(time, retention, now).width
  return { from: floorTo(widthAt(from), from), to: ceilTo(widthAt(to), to) }
}

/** The finest tier of which everything at `time` is still kept: what is too old goes by whole partitions. */
export function finestAt(time: number, retention: HistoryRetention, now: number): FleetTier {
  if (time >= floorTo(HOURS.width, now - retention.minutes * 1000)) return MINUTES
  return time >= floorTo(DAYS.width, now - retention.hours * 1000) ? HOURS : DAYS
}

/**
 * The fewest windows that make up `range`, each of which lies in one step of `step` milliseconds (Infinity for no steps).
 * `finest` tells the finest tier at a time, whose windows are the smallest there is.
 */
export function planFor(range: TimeRange, step: number, isMerged: IsMerged, finest: (time: number) => FleetTier): Plan {
  const found = new Map<FleetTier, number[]>([DAYS, HOURS, MINUTES].map(tier => [tier, []]))
  const minutes: number[] = []
  const fitting = [...found.keys()].filter(({ width }) => step === Infinity || step % width === 0)
  for (let at = range.from; at < range.to;) {
    const tier = fitting.find(({ name, width }) => at % width === 0 && at + width <= range.to && isMerged(name, at))
    if (tier !== undefined) found.get(tier)?.push(at)
    else if (finest(at) === MINUTES) minutes.push(at)
    at += (tier ?? finest(at)).width
  }
  return { merged: [...found].map(([tier, at]) => ({ tier, at })).filter(({ at }) => at.length > 0), minutes }
}
