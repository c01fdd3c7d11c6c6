import type { HistoryDatabase } from '../../src/history/postgres/database.js'
import { seriesId } from '../../src/history/rollups/series-id.js'
import { SCHEMA } from '../../src/history/postgres/tables.js'
import type { SeriesIdentity } from '../../src/store/identity.js'
import { SERVICE } from './load.js'

/** A process of its own; its id. */
export async function addWriter(database: HistoryDatabase, instance: string): Promise<number> {
  const [row] = await database.query<{ id: number }>(
    `INSERT INTO ${SCHEMA}.writers (boot, service, instance) VALUES (gen_random_uuid(), $1, $2) RETURNING id`,
    [SERVICE, instance]
  )
  return row?.id ?? NaN
}

export async function addNames(database: HistoryDatabase, identities: readonly SeriesIdentity[]): Promise<void> {
  for (const identity of identities) {
    await database.query(
      `INSERT INTO ${SCHEMA}.series (id, service, kind, name, labels, overflow) VALUES ($1, $2, $3, $4, $5, false)`,
      [seriesId(SERVICE, identity), SERVICE, identity.kind, identity.name, JSON.stringify(identity.labels)]
    )
  }
}
