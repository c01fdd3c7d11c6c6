import { setImmediate as otherWork } from 'node:timers/promises'
import type { TransactionClient } from '../../database/transaction-request.js'
import { Merger } from '../../store/quantiles.js'
import { timesIn } from '../../store/summary.js'
import type { Kind } from '../../store/totals.js'
import { Bounded, type OwnedEntry } from './bounded.js'
import { Merging } from '../rollups/merging.js'
import { decodeRollup, encodeRollup, unpack, type Entry } from '../rollups/pack.js'
import { isThere } from './partitions.js'
import { DAYS, HOURS, MINUTES, SCHEMA, type FleetTier } from './tables.js'
import { OPEN, weights } from './weights.js'

const WRITERS_AT_A_TIME = 50
const ROWS_AT_A_TIME = 50_000
const WRITTEN_AT_A_TIME = 1000

/**
 * Puts the window of `tier` that begins at `at` together from what there is now, in a transaction that sees one state.
 * What it would be put together from may have been dropped since it was chosen; it stays as it is then.
 */
export async function mergeWindow(client: TransactionClient, tier: FleetTier, at: number): Promise<void> {
  if (!(await isThere(client, tier.source, at))) return
  // With what came late others may be those that are kept.
  await client.query(`DELETE FROM ${SCHEMA}.${tier.table} WHERE at = $1`, [new Date(at)])
  const range = [new Date(at), new Date(at + tier.width)]
  if (tier === MINUTES) await mergeMinute(client, at, range)
  else await mergeParts(client, tier, tier === DAYS ? HOURS : MINUTES, at, range)
  await client.query(
    `
      INSERT INTO ${SCHEMA}.merged (tier, at, weight)
      SELECT '${tier.name}', at, weight FROM (${weights(tier)}) AS found
      ON CONFLICT (tier, at) DO UPDATE SET weight = EXCLUDED.weight
    `,
    range
  )
}

async function mergeMinute(client: TransactionClient, at: number, range: readonly Date[]): Promise<void> {
  const merging = new Merging()
  const services = new Map<number, string>()
  for (let writer = -1; ;) {
    const { rows } = await client.query<{ writer: number; service: string | null; data: Buffer }>(
      `
        SELECT writer, service, data
        FROM (SELECT at, writer, data FROM ${SCHEMA}.minutes WHERE at >= $1 AND at < $2 UNION ALL ${OPEN}) AS found
          LEFT JOIN ${SCHEMA}.writers ON writers.id = writer
        WHERE writer > $3
        ORDER BY writer
        LIMIT ${WRITERS_AT_A_TIME}
      `,
      [...range, writer]
    )
    for (const { service, data } of rows) {
      for (const entry of await unpack(data)) {
        services.set(entry.id, service ?? '')
        await merging.add(entry)
      }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < WRITERS_AT_A_TIME) break
    writer = last.writer
  }
  const bounded = new Bounded()
  await writeFleet(client, MINUTES, at, await bounded.keep(owned(merging, services)))
  await writeRest(client, MINUTES, at, bounded)
}

/** Part of the series at a time, so that no more than some thousands of rows are held. */
async function mergeParts(
  client: TransactionClient,
  tier: FleetTier,
  fine: FleetTier,
  at: number,
  range: readonly Date[]
): Promise<void> {
  const { rows: counted } = await client.query<{ rows: string }>(
    `SELECT count(*) AS rows FROM ${SCHEMA}.${fine.table} WHERE at >= $1 AND at < $2`,
    [...range]
  )
  const parts = Math.max(1, Math.ceil(Number(counted[0]?.rows) / ROWS_AT_A_TIME))
  const bounded = new Bounded(parts)
  for (let part = 0; part < parts; part += 1) {
    const merging = new Merging()
    const services = new Map<number, string>()
    const { rows } = await client.query<{ series: string; kind: Kind; service: string; data: Buffer }>(
      `
        SELECT fine.series, series.kind, series.service, fine.data
        FROM ${SCHEMA}.${fine.table} AS fine
          JOIN ${SCHEMA}.series ON series.id = fine.series
        WHERE fine.at >= $1 AND fine.at < $2 AND fine.series % $3 = $4
      `,
      [...range, parts, part]
    )
    for (const { series, kind, service, data } of rows) {
      services.set(Number(series), service)
      await merging.add({ id: Number(series), kind, ...decodeRollup(data, kind) })
    }
    await writeFleet(client, tier, at, await bounded.keep(owned(merging, services)))
  }
  await writeRest(client, tier, at, bounded)
}

function* owned({ entries }: Merging, services: ReadonlyMap<number, string>): Generator<OwnedEntry> {
  for (const entry of entries.values()) yield { ...entry, service: services.get(entry.id) ?? '' }
}

async function writeRest(client: TransactionClient, tier: FleetTier, at: number, bounded: Bounded): Promise<void> {
  await bounded.name(client)
  await writeFleet(client, tier, at, [...bounded.rest.entries.values()])
}

async function writeFleet(
  client: TransactionClient,
  { table }: FleetTier,
  at: number,
  entries: readonly Entry[]
): Promise<void> {
  for (let from = 0; from < entries.length; from += WRITTEN_AT_A_TIME) {
    const rows = entries.slice(from, from + WRITTEN_AT_A_TIME).map(row)
    await client.query(
      `
        INSERT INTO ${SCHEMA}.${table} (at, series, count, errors, total, min, max, p50, p95, p99, data)
        SELECT $1, *
        FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[], $6::real[], $7::real[], $8::real[],
                    $9::real[], $10::real[], $11::bytea[])
        ON CONFLICT (at, series) DO UPDATE
        SET count = EXCLUDED.count, errors = EXCLUDED.errors, total = EXCLUDED.total, min = EXCLUDED.min,
            max = EXCLUDED.max, p50 = EXCLUDED.p50, p95 = EXCLUDED.p95, p99 = EXCLUDED.p99, data = EXCLUDED.data
      `,
      [new Date(at), ...COLUMNS.map((_, column) => rows.map(cells => cells[column]))]
    )
    await otherWork()
  }
}

const COLUMNS = ['series', 'count', 'errors', 'total', 'min', 'max', 'p50', 'p95', 'p99', 'data'] as const
const merger = new Merger()

/** What of it can be read with SQL alone, and all of it for us. */
function row({ id, rollup, last }: Entry): readonly (number | Buffer)[] {
  merger.clear()
  merger.add(rollup.times)
  const { count, totalTime, minTime, maxTime, medianTime, p95Time, p99Time } = timesIn(merger, rollup.untimed)
  const content = encodeRollup({ rollup, last })
  return [id, count, rollup.errors, totalTime, minTime, maxTime, medianTime, p95Time, p99Time, content]
}
