import type { TransactionClient } from '../../database/transaction-request.js'
import type { SeriesIdentity } from '../../store/identity.js'
import type { ClosedMinute, Writer } from './recorder.js'
import { SCHEMA_VERSION } from './schema.js'
import { SCHEMA } from './tables.js'

/** In UTC, as days are cut. */
const TODAY = `(clock_timestamp() AT TIME ZONE 'UTC')::date`

/** A schema of a later version: nothing must be written into it. */
export class NewerSchema extends Error {}

/**
 * Says what ids stand for, and that what they stand for is in use today: names are written anew each day, and those that
 * nobody has written for long are forgotten.
 */
export async function writeNames(
  client: TransactionClient,
  service: string,
  names: readonly (readonly [id: number, identity: SeriesIdentity])[]
): Promise<void> {
  const ids = names.map(([id]) => id)
  // Only rows of which the day is not there yet are locked, by all instances in one order: at midnight all come at once.
  await client.query(
    `
      UPDATE ${SCHEMA}.series SET last_day = ${TODAY}
      FROM (SELECT id FROM ${SCHEMA}.series WHERE id = ANY ($1) AND last_day < ${TODAY} ORDER BY id FOR UPDATE) AS used
      WHERE series.id = used.id
    `,
    [ids]
  )
  await client.query(
    `
      INSERT INTO ${SCHEMA}.series (id, service, kind, name, labels, overflow, last_day)
      SELECT id, $1, kind, name, labels, overflow, ${TODAY}
      FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::boolean[])
        AS named (id, kind, name, labels, overflow)
      ON CONFLICT (id) DO NOTHING
    `,
    [
      service,
      ids,
      names.map(([, { kind }]) => kind),
      names.map(([, { name }]) => storable(name)),
      names.map(([, { labels }]) => JSON.stringify(stored(labels))),
      names.map(([, { isOverflow }]) => isOverflow)
    ]
  )
}

export async function writeMinutes(client: TransactionClient, minutes: readonly ClosedMinute[]): Promise<void> {
  await client.query(
    `
      INSERT INTO ${SCHEMA}.minutes (at, writer, data)
      SELECT * FROM unnest($1::timestamptz[], $2::integer[], $3::bytea[])
      ON CONFLICT (at, writer) DO UPDATE SET data = EXCLUDED.data
    `,
    [minutes.map(({ at }) => new Date(at)), minutes.map(({ writer }) => writer.id), minutes.map(({ data }) => data)]
  )
}

/** Of a minute that was given up since, what was written while it was open is all that there will be. */
export async function keepOpen(client: TransactionClient, writer: Writer, from: number, to: number): Promise<void> {
  await client.query(
    `
      INSERT INTO ${SCHEMA}.minutes (at, writer, data)
      SELECT at, writer, data FROM ${SCHEMA}.live WHERE writer = $1 AND at >= $2 AND at < $3
      ON CONFLICT (at, writer) DO NOTHING
    `,
    [writer.id, new Date(from), new Date(to)]
  )
}

/** Replaces the open minute; returns the time of the database, in milliseconds. */
export async function writeOpen(client: TransactionClient, writer: Writer, at: number, data: Buffer): Promise<number> {
  const { rows } = await client.query<{ now: string }>(
    `
      INSERT INTO ${SCHEMA}.live (writer, at, seen, data)
      SELECT $1, $2, clock_timestamp(), $3
      WHERE (SELECT max(version) FROM ${SCHEMA}.schema_version) <= ${SCHEMA_VERSION}
      ON CONFLICT (writer) DO UPDATE SET at = EXCLUDED.at, seen = EXCLUDED.seen, data = EXCLUDED.data
      RETURNING extract(epoch FROM seen) * 1000 AS now
    `,
    [writer.id, new Date(at), data]
  )
  if (rows[0] !== undefined) return Number(rows[0].now)
  const { rows: versions } = await client.query<{ version: number }>(
    `SELECT max(version) AS version FROM ${SCHEMA}.schema_version`
  )
  throw new NewerSchema(String(versions[0]?.version))
}

function stored(labels: SeriesIdentity['labels']): object | null {
  if (labels === null) return null
  if ('type' in labels) return { type: storable(labels.type) }
  const operation = storable(labels.operation)
  const table = labels.table === null ? null : storable(labels.table)
  return 'fingerprint' in labels
    ? { operation, table, fingerprint: labels.fingerprint, text: storable(labels.text) }
    : { operation, table }
}

/** Postgres takes neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return Buffer.from(text.replaceAll('\0', '\ufffd')).toString()
}
