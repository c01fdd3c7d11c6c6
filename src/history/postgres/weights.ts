import { DAYS, HOURS, MINUTES, SCHEMA, type FleetTier } from './tables.js'

/**
 * How much there is of each window, to be compared with how much of it was merged: of a minute two for each row that its
 * process has closed, one for an open one that was never closed; of an hour or a day what went into its parts. Between
 * $1 and $2.
 */
export function weights(tier: FleetTier): string {
  if (tier === MINUTES) return `SELECT at, sum(weight) AS weight FROM (${minuteRows}) AS found GROUP BY at`
  const fine = tier === DAYS ? HOURS : MINUTES
  return `
    SELECT date_bin('${tier.width} ms', at, 'epoch') AS at, sum(weight) AS weight
    FROM ${SCHEMA}.merged
    WHERE tier = '${fine.name}' AND at >= $1 AND at < $2
    GROUP BY 1`
}

/** The windows between $1 and $2 of which not all is merged, the oldest first. */
export function staleWindows(tier: FleetTier): string {
  return `
    SELECT found.at
    FROM (${weights(tier)}) AS found
      LEFT JOIN ${SCHEMA}.merged ON merged.tier = '${tier.name}' AND merged.at = found.at
    WHERE merged.weight IS DISTINCT FROM found.weight
    ORDER BY found.at`
}

/** An open minute whose process has closed it since, or will still, is not counted twice. */
export const OPEN = `
  SELECT live.at, live.writer, live.data
  FROM ${SCHEMA}.live
  WHERE live.at >= $1 AND live.at < $2
    AND NOT EXISTS (SELECT FROM ${SCHEMA}.minutes WHERE minutes.at = live.at AND minutes.writer = live.writer)`

const minuteRows = `
  SELECT at, 2 AS weight FROM ${SCHEMA}.minutes WHERE at >= $1 AND at < $2
  UNION ALL
  SELECT at, 1 FROM (${OPEN}) AS open`
