import { inTurn } from './alone.js'
import type { HistoryDatabase } from './database.js'

/** Of the tables below. An instance that finds a higher one stops writing. */
export const SCHEMA_VERSION = 1

/**
 * `writers`: one row a process. `series`: what the ids stand for. `live`: the open minute of each process, replaced every
 * ten seconds. `minutes`: closed ones, one row a process, never changed once its process has written it. The rest is
 * merged over all processes, one row a series: `fleet_minutes`, `fleet_hours`, `fleet_days`; times in them are seconds.
 * `merged` says of which windows, and of how much: two for each closed minute that went in, one for each open one.
 */
const tables = `
  SET LOCAL search_path = mercurius_performance;

  CREATE TABLE schema_version (version integer NOT NULL);

  CREATE TABLE writers (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    boot     uuid NOT NULL UNIQUE,
    service  text NOT NULL,
    instance text NOT NULL,
    version  text,
    started  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended    timestamptz,
    -- seconds
    minutes_kept integer NOT NULL DEFAULT 0,
    hours_kept   integer NOT NULL DEFAULT 0,
    days_kept    integer NOT NULL DEFAULT 0
  );

  CREATE TABLE series (
    id       bigint PRIMARY KEY,
    service  text NOT NULL,
    kind     text NOT NULL,
    name     text NOT NULL,
    labels   jsonb,
    overflow boolean NOT NULL,
    last_day date NOT NULL DEFAULT current_date
  );
  CREATE INDEX series_service_kind_name_idx ON series (service, kind, name);

  CREATE TABLE live (
    writer integer PRIMARY KEY,
    at     timestamptz NOT NULL,
    seen   timestamptz NOT NULL,
    data   bytea NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
          toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 2000);
  ALTER TABLE live ALTER COLUMN data SET STORAGE EXTERNAL;

  CREATE TABLE minutes (
    at     timestamptz NOT NULL,
    writer integer NOT NULL,
    data   bytea NOT NULL,
    PRIMARY KEY (at, writer)
  ) PARTITION BY RANGE (at);
  ALTER TABLE minutes ALTER COLUMN data SET STORAGE EXTERNAL;

  CREATE TABLE merged (
    tier   text NOT NULL,
    at     timestamptz NOT NULL,
    weight bigint NOT NULL,
    PRIMARY KEY (tier, at)
  );
`

const fleetTable = (name: string): string => `
  CREATE TABLE mercurius_performance.${name} (
    series bigint NOT NULL,
    at     timestamptz NOT NULL,
    count  bigint NOT NULL,
    errors bigint NOT NULL,
    total  double precision NOT NULL,
    min    real NOT NULL,
    max    real NOT NULL,
    p50    real NOT NULL,
    p95    real NOT NULL,
    p99    real NOT NULL,
    data   bytea NOT NULL,
    PRIMARY KEY (at, series)
  ) PARTITION BY RANGE (at);
`

const ddl = `${tables}${['fleet_minutes', 'fleet_hours', 'fleet_days'].map(fleetTable).join('')}
  INSERT INTO mercurius_performance.schema_version VALUES (${SCHEMA_VERSION});
`

const UNDEFINED_TABLE = '42P01'
const INVALID_SCHEMA = '3F000'

/**
 * Makes the tables where there are none and returns the version that is there now. Where they are there already nothing
 * but reading is needed.
 */
export async function prepareSchema(database: HistoryDatabase): Promise<number> {
  const found = await schemaVersion(database)
  if (found !== undefined) return found
  await inTurn(database, async client => {
    const { rows } = await client.query<{ schema: boolean; tables: boolean }>(
      `
        SELECT to_regnamespace('mercurius_performance') IS NOT NULL AS schema,
               to_regclass('mercurius_performance.schema_version') IS NOT NULL AS tables
      `
    )
    // Somebody may have made it for a user who must not. IF NOT EXISTS asks for the right to make it all the same.
    if (rows[0]?.schema !== true) await client.query('CREATE SCHEMA mercurius_performance')
    if (rows[0]?.tables !== true) await client.query(ddl)
  })
  return (await schemaVersion(database)) ?? SCHEMA_VERSION
}

async function schemaVersion(database: HistoryDatabase): Promise<number | undefined> {
  try {
    const [row] = await database.query<{ version: number }>(
      'SELECT max(version) AS version FROM mercurius_performance.schema_version'
    )
    return row?.version
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === UNDEFINED_TABLE || code === INVALID_SCHEMA) return undefined
    throw error
  }
}
