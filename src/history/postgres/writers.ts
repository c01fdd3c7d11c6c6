import type { TransactionClient } from '../../database/transaction-request.js'
import type { HistorySettings } from '../settings.js'
import type { Writer } from './recorder.js'
import { SCHEMA } from './tables.js'

/** Sees to it that each has its row; false where one had it and it is gone, or is another's. */
export async function registerWriters(
  client: TransactionClient,
  settings: HistorySettings,
  writers: ReadonlySet<Writer>
): Promise<boolean> {
  const boots = [...writers].map(({ boot }) => boot)
  const { rows } = await client.query<{ id: number; boot: string }>(
    `SELECT id, boot FROM ${SCHEMA}.writers WHERE boot = ANY ($1)`,
    [boots]
  )
  const known = new Map(rows.map(({ id, boot }) => [boot, id]))
  let isAsBefore = true
  for (const writer of writers) {
    const id = known.get(writer.boot) ?? (await insert(client, settings, writer))
    if (writer.id !== undefined && writer.id !== id) isAsBefore = false
    writer.id = id
  }
  return isAsBefore
}

async function insert(
  client: TransactionClient,
  { service, instance, version, retention }: HistorySettings,
  { boot }: Writer
): Promise<number | undefined> {
  const kept = [retention.minutes, retention.hours, retention.days].map(Math.round)
  const { rows } = await client.query<{ id: number }>(
    `
      INSERT INTO ${SCHEMA}.writers (boot, service, instance, version, minutes_kept, hours_kept, days_kept)
      VALUES ($1, $2, $3, $4, $5, $6, $7)
      ON CONFLICT (boot) DO UPDATE SET boot = EXCLUDED.boot
      RETURNING id
    `,
    [boot, service, instance, version, ...kept]
  )
  return rows[0]?.id
}
