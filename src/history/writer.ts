import type { PoolClient } from 'pg'
import { BACKGROUND, backoffDelay } from '../database/backoff.js'
import type { SeriesIdentity } from '../store/identity.js'
import type { DatabaseClock } from './database-clock.js'
import type { HistoryDatabase } from './database.js'
import { makePartitions } from './partitions.js'
import { codeOf } from './problems.js'
import type { ClosedMinute, Recorder, Writer } from './recorder.js'
import { prepareSchema, SCHEMA_VERSION } from './schema.js'
import type { HistorySettings } from './settings.js'
import { SCHEMA } from './tables.js'

const MINUTES_AT_A_TIME = 20

/** Whether what is to be kept was written, could not be for now, or never can be. */
export interface WriterEvents {
  written(): void
  failed(error: unknown): void
  /** The tables are those of a later version of this package, which needs `version` of them. */
  outdated(version: number): void
}

/** A schema of a later version: nothing must be written into it. */
class NewerSchema extends Error {}

/** Writes what a recorder holds, again and again until it is confirmed. */
export class HistoryWriter {
  readonly #recorder: Recorder
  readonly #database: HistoryDatabase
  readonly #clock: DatabaseClock
  readonly #settings: HistorySettings
  readonly #events: WriterEvents
  #writing: Promise<void> | undefined
  /** What waits for it to end. */
  #next: Promise<void> | undefined
  #isPrepared = false
  #isOutdated = false
  #failures = 0
  #retry: NodeJS.Timeout | undefined

  constructor(
    recorder: Recorder,
    database: HistoryDatabase,
    clock: DatabaseClock,
    settings: HistorySettings,
    events: WriterEvents
  ) {
    this.#recorder = recorder
    this.#database = database
    this.#clock = clock
    this.#settings = settings
    this.#events = events
  }

  /**
   * Writes all there is: after what is being written, if anything is; after a failure once the time for the next attempt
   * has come.
   */
  async write(): Promise<void> {
    if (this.#writing !== undefined) {
      this.#next ??= this.#writing.then(() => {
        this.#next = undefined
        return this.write()
      })
      return this.#next
    }
    if (this.#retry === undefined) await this.#begin(false)
  }

  /** Writes what there still is and says that nothing will come any more. */
  async writeLast(): Promise<void> {
    while (this.#writing !== undefined) await (this.#next ?? this.#writing)
    await this.#begin(true)
  }

  stop(): void {
    clearTimeout(this.#retry)
  }

  async #begin(isLast: boolean): Promise<void> {
    if (this.#isOutdated) return
    this.#writing = this.#attempt(isLast).finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  async #attempt(isLast: boolean): Promise<void> {
    try {
      if (!this.#isPrepared) await this.#prepare()
      do await this.#flush(this.#recorder.waiting.slice(0, MINUTES_AT_A_TIME), isLast)
      while (this.#recorder.waiting.length > 0)
      this.#failures = 0
      this.#events.written()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (error instanceof NewerSchema) {
      this.#isOutdated = true
      this.#events.outdated(Number(error.message))
      return
    }
    // Somebody may have taken the tables away, or partitions may be missing for a clock that was set.
    if (/^(?:42P01|3F000|23514)$/.test(codeOf(error) ?? '')) this.#isPrepared = false
    this.#events.failed(error)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined
        void this.write()
      },
      backoffDelay(this.#failures, BACKGROUND)
    ).unref()
    this.#failures += 1
  }

  async #prepare(): Promise<void> {
    const version = await prepareSchema(this.#database)
    if (version > SCHEMA_VERSION) throw new NewerSchema(String(version))
    const [answer] = await this.#database.query<{ now: string }>(
      'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now'
    )
    this.#clock.set(Number(answer?.now))
    this.#recorder.beginAnew()
    await makePartitions(this.#database, this.#clock.now())
    this.#isPrepared = true
  }

  async #flush(minutes: readonly ClosedMinute[], isLast: boolean): Promise<void> {
    const { unnamed, writer, openAt } = this.#recorder
    const names = [...unnamed].sort(([one], [other]) => one - other)
    const open = await this.#recorder.packOpen()
    for (const each of new Set([writer, ...minutes.map(minute => minute.writer)])) await this.#register(each)
    const now = await this.#database.transaction(async client => {
      if (names.length > 0) await writeNames(client, this.#settings.service, names)
      if (minutes.length > 0) await writeMinutes(client, minutes)
      if (isLast)
        await client.query(`UPDATE ${SCHEMA}.writers SET ended = clock_timestamp() WHERE id = $1`, [writer.id])
      return writeOpen(client, writer, openAt, open)
    })
    this.#clock.set(now)
    this.#recorder.areNamed(names.map(([id]) => id))
    this.#recorder.areWritten(minutes)
  }

  async #register(writer: Writer): Promise<void> {
    if (writer.id !== undefined) return
    const { service, instance, version } = this.#settings
    const [row] = await this.#database.query<{ id: number }>(
      `
        INSERT INTO ${SCHEMA}.writers (boot, service, instance, version)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (boot) DO UPDATE SET boot = EXCLUDED.boot
        RETURNING id
      `,
      [writer.boot, service, instance, version]
    )
    writer.id = row?.id
  }
}

async function writeNames(
  client: PoolClient,
  service: string,
  names: readonly (readonly [id: number, identity: SeriesIdentity])[]
): Promise<void> {
  await client.query(
    `
      INSERT INTO ${SCHEMA}.series (id, service, kind, name, labels, overflow)
      SELECT id, $1, kind, name, labels, overflow
      FROM unnest($2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::boolean[])
        AS named (id, kind, name, labels, overflow)
      ON CONFLICT (id) DO NOTHING
    `,
    [
      service,
      names.map(([id]) => id),
      names.map(([, { kind }]) => kind),
      names.map(([, { name }]) => storable(name)),
      names.map(([, { labels }]) => JSON.stringify(kept(labels))),
      names.map(([, { isOverflow }]) => isOverflow)
    ]
  )
}

async function writeMinutes(client: PoolClient, minutes: readonly ClosedMinute[]): Promise<void> {
  await client.query(
    `
      INSERT INTO ${SCHEMA}.minutes (at, writer, data)
      SELECT * FROM unnest($1::timestamptz[], $2::integer[], $3::bytea[])
      ON CONFLICT (at, writer) DO UPDATE SET data = EXCLUDED.data
    `,
    [minutes.map(({ at }) => new Date(at)), minutes.map(({ writer }) => writer.id), minutes.map(({ data }) => data)]
  )
}

/** Replaces the open minute; returns the time of the database, in milliseconds. */
async function writeOpen(client: PoolClient, writer: Writer, at: number, data: Buffer): Promise<number> {
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

/** Of the labels what is read again: the store may keep more beside them. */
function kept(labels: SeriesIdentity['labels']): object | null {
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
