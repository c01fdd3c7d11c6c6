import type { TransactionClient } from '../../database/transaction-request.js'
import type { SeriesChoice } from '../../store/history.js'
import type { Kind } from '../../store/totals.js'
import { decodeRollup, unpack, type Entry } from '../rollups/pack.js'
import type { Plan } from './plan.js'
import { MINUTES, SCHEMA } from './tables.js'
import { OPEN } from './weights.js'

/** So much of an answer is held at once, whatever the range. */
const ROWS_AT_A_TIME = 5000
const MINUTES_AT_A_TIME = 60
const PACKED_AT_A_TIME = 20

/** Takes what came to a series in the window that began at `at`, milliseconds since 1970. */
export type Take = (entry: Entry, at: number) => Promise<void>

export interface Wanted {
  readonly service: string
  readonly choice: SeriesChoice
  /** The series; undefined for all of the chosen kinds. */
  readonly ids: ReadonlySet<number> | undefined
}

/** Hands what was merged over all instances to `take`, a row for each series and window. */
export async function readMerged(
  client: TransactionClient,
  { merged }: Plan,
  { service, choice, ids }: Wanted,
  take: Take
): Promise<void> {
  for (const { tier, at } of merged) {
    const times = at.map(time => new Date(time))
    let last: { readonly at: Date; readonly id: string } | undefined = { at: new Date(0), id: '-1' }
    while (last !== undefined) {
      const { rows }: { rows: { id: string; kind: Kind; at: Date; data: Buffer }[] } = await client.query(
        `
          SELECT series.id, series.kind, fleet.at, fleet.data
          FROM ${SCHEMA}.${tier.table} AS fleet
            JOIN ${SCHEMA}.series ON series.id = fleet.series
          WHERE fleet.at = ANY ($1) AND series.service = $2 AND series.kind = ANY ($3)
            AND (fleet.at, fleet.series) > ($4, $5)
            ${ids === undefined ? '' : 'AND fleet.series = ANY ($6)'}
          ORDER BY fleet.at, fleet.series
          LIMIT ${ROWS_AT_A_TIME}
        `,
        [times, service, choice.kinds, last.at, last.id, ...(ids === undefined ? [] : [[...ids]])]
      )
      for (const row of rows) {
        const { kind, data } = row
        await take({ id: Number(row.id), kind, ...decodeRollup(data, kind) }, row.at.getTime())
      }
      last = rows.length < ROWS_AT_A_TIME ? undefined : rows.at(-1)
    }
  }
}

/** Hands the minutes of single instances to `take`, each of which holds all series. */
export async function readMinutes(
  client: TransactionClient,
  { minutes }: Plan,
  { service, choice: { kinds, instance }, ids }: Wanted,
  take: Take
): Promise<void> {
  const isWanted = (id: number, kind: Kind): boolean => kinds.includes(kind) && (ids?.has(id) ?? true)
  for (let from = 0; from < minutes.length; from += MINUTES_AT_A_TIME) {
    const times = minutes.slice(from, from + MINUTES_AT_A_TIME)
    const [first = 0] = times
    const range = [new Date(first), new Date((times.at(-1) ?? first) + MINUTES.width)]
    let last: { readonly at: Date; readonly writer: number } | undefined = { at: new Date(0), writer: -1 }
    while (last !== undefined) {
      const { rows }: { rows: { at: Date; writer: number; data: Buffer }[] } = await client.query(
        `
          SELECT found.at, found.writer, found.data
          FROM (SELECT at, writer, data FROM ${SCHEMA}.minutes WHERE at >= $1 AND at < $2 UNION ALL ${OPEN}) AS found
            JOIN ${SCHEMA}.writers ON writers.id = found.writer
          WHERE found.at = ANY ($3) AND writers.service = $4 AND ($5::text IS NULL OR writers.instance = $5)
            AND (found.at, found.writer) > ($6, $7)
          ORDER BY found.at, found.writer
          LIMIT ${PACKED_AT_A_TIME}
        `,
        [...range, times.map(time => new Date(time)), service, instance ?? null, last.at, last.writer]
      )
      for (const { at, data } of rows) {
        for (const entry of await unpack(data, isWanted)) await take(entry, at.getTime())
      }
      last = rows.length < PACKED_AT_A_TIME ? undefined : rows.at(-1)
    }
  }
}
