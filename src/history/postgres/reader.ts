import type { TransactionClient } from '../../database/transaction-request.js'
import { PerformanceError } from '../../errors.js'
import type {
  HistoryReader,
  InstanceReport,
  SeriesChoice,
  Tier,
  TimelinePoint,
  TimeRange
} from '../../store/history.js'
import type { SeriesIdentity } from '../../store/identity.js'
import type { SeriesRollup } from '../../store/roll-up.js'
import type { Kind } from '../../store/totals.js'
import type { DatabaseClock } from './database-clock.js'
import type { HistoryDatabase } from './database.js'
import { Merging } from '../rollups/merging.js'
import { decodeRollup, unpack, type Entry } from '../rollups/pack.js'
import { mergedWindows } from './merged-windows.js'
import { finestAt, planFor, wholeWindows, type Plan } from './plan.js'
import type { HistorySettings } from '../settings.js'
import { DAYS, floorTo, HOURS, MINUTES, SCHEMA } from './tables.js'
import { OPEN } from './weights.js'

const ONE_STATE = 'ISOLATION LEVEL REPEATABLE READ READ ONLY'
const REPORTING_SECONDS = 30
const INSTANCES_LISTED = 1000
/** So much of an answer is held at once, whatever the range. */
const ROWS_AT_A_TIME = 5000
const MINUTES_AT_A_TIME = 60
const PACKED_AT_A_TIME = 20
/** Distinct series of one answer; services have hundreds or thousands. */
const MOST_SERIES = 50_000

type Take = (entry: Entry, at: number) => Promise<void>

/** Reads the history that instances keep in Postgres. Each question sees one state of the database. */
export class PostgresReader implements HistoryReader {
  readonly instance: string
  readonly #database: HistoryDatabase
  readonly #clock: DatabaseClock
  readonly #settings: HistorySettings

  constructor(database: HistoryDatabase, clock: DatabaseClock, settings: HistorySettings) {
    this.instance = settings.instance
    this.#database = database
    this.#clock = clock
    this.#settings = settings
  }

  get tiers(): readonly Tier[] {
    const { retention } = this.#settings
    return [MINUTES, HOURS, DAYS].map(({ width, keeps }) => ({ width: width / 1000, retention: retention[keeps] }))
  }

  get ownTiers(): readonly Tier[] {
    return this.tiers.slice(0, 1)
  }

  now(): number {
    return this.#clock.now()
  }

  async rollups(choice: SeriesChoice, range: TimeRange): Promise<SeriesRollup[]> {
    return this.#database.transaction(async client => {
      const merging = new Merging()
      await this.#read(client, choice, range, Infinity, entry => {
        if (merging.entries.size > MOST_SERIES) throw tooMany()
        return merging.add(entry)
      })
      const identities = await this.#identities(client, choice, merging.entries.keys())
      return [...merging.entries.values()].flatMap(({ id, rollup, last }) => {
        const identity = identities.get(id)
        return identity === undefined ? [] : [{ identity, rollup, last }]
      })
    }, ONE_STATE)
  }

  async timeline(choice: SeriesChoice, range: TimeRange, step: number): Promise<TimelinePoint[]> {
    return this.#database.transaction(async client => {
      const steps = new Map<number, Merging>()
      await this.#read(client, choice, range, step, (entry, time) => {
        const at = floorTo(step, time)
        const merging = steps.get(at) ?? new Merging()
        steps.set(at, merging)
        return merging.add(entry)
      })
      const ids = new Set([...steps.values()].flatMap(({ entries }) => [...entries.keys()]))
      const identities = await this.#identities(client, choice, ids)
      const inOrder = [...steps].sort(([one], [other]) => one - other)
      return inOrder.flatMap(([at, { entries }]) =>
        [...entries.values()].flatMap(({ id, rollup }) => {
          const identity = identities.get(id)
          return identity === undefined ? [] : [{ at, identity, rollup }]
        })
      )
    }, ONE_STATE)
  }

  async instances(): Promise<InstanceReport[]> {
    const rows = await this.#database.query<{
      name: string
      version: string | null
      since: Date
      lastSeen: Date
      isReporting: boolean
    }>(
      `
        SELECT instance AS name, version, started AS since, seen AS "lastSeen",
               ended IS NULL AND seen > clock_timestamp() - interval '${REPORTING_SECONDS} s' AS "isReporting"
        FROM ${SCHEMA}.writers
          JOIN ${SCHEMA}.live ON live.writer = writers.id
        WHERE service = $1
        ORDER BY started DESC, id DESC
        LIMIT ${INSTANCES_LISTED}
      `,
      [this.#settings.service]
    )
    return rows.map(row => ({ ...row, since: row.since.getTime(), lastSeen: row.lastSeen.getTime() }))
  }

  /** Hands everything in `range` to `take`, in windows each of which lies in one step of `step` milliseconds. */
  async #read(
    client: TransactionClient,
    choice: SeriesChoice,
    range: TimeRange,
    step: number,
    take: Take
  ): Promise<void> {
    const { retention } = this.#settings
    const now = this.now()
    const whole = wholeWindows(range, retention, now)
    const isMerged = choice.instance === undefined ? await mergedWindows(client, whole, retention, now) : () => false
    const plan = planFor(whole, step, isMerged, time => finestAt(time, retention, now))
    const ids = choice.name === undefined ? undefined : await this.#idsOf(client, choice)
    if (ids?.size === 0) return
    await this.#readMerged(client, plan, choice, ids, take)
    await this.#readMinutes(client, plan, choice, ids, take)
  }

  async #idsOf(client: TransactionClient, { kinds, name }: SeriesChoice): Promise<ReadonlySet<number>> {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${SCHEMA}.series WHERE service = $1 AND kind = ANY ($2) AND name = $3`,
      [this.#settings.service, kinds, name]
    )
    return new Set(rows.map(({ id }) => Number(id)))
  }

  async #readMerged(
    client: TransactionClient,
    { merged }: Plan,
    { kinds }: SeriesChoice,
    ids: ReadonlySet<number> | undefined,
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
          [times, this.#settings.service, kinds, last.at, last.id, ...(ids === undefined ? [] : [[...ids]])]
        )
        for (const row of rows) {
          const { kind, data } = row
          await take({ id: Number(row.id), kind, ...decodeRollup(data, kind) }, row.at.getTime())
        }
        last = rows.length < ROWS_AT_A_TIME ? undefined : rows.at(-1)
      }
    }
  }

  async #readMinutes(
    client: TransactionClient,
    { minutes }: Plan,
    { kinds, instance }: SeriesChoice,
    ids: ReadonlySet<number> | undefined,
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
          [...range, times.map(time => new Date(time)), this.#settings.service, instance ?? null, last.at, last.writer]
        )
        for (const { at, data } of rows) {
          for (const entry of await unpack(data, isWanted)) await take(entry, at.getTime())
        }
        last = rows.length < PACKED_AT_A_TIME ? undefined : rows.at(-1)
      }
    }
  }

  /** What the ids stand for; one that nobody has named is nobody's. */
  async #identities(
    client: TransactionClient,
    { kinds }: SeriesChoice,
    ids: Iterable<number>
  ): Promise<ReadonlyMap<number, SeriesIdentity>> {
    const { rows } = await client.query<SeriesIdentity & { readonly id: string }>(
      `
        SELECT id, kind, name, labels, overflow AS "isOverflow"
        FROM ${SCHEMA}.series
        WHERE id = ANY ($1) AND kind = ANY ($2)
      `,
      [[...ids], kinds]
    )
    return new Map(rows.map(({ id, ...identity }) => [Number(id), identity]))
  }
}

function tooMany(): PerformanceError {
  return new PerformanceError(
    'MPERF_ARGUMENT_INVALID',
    `there are more than ${MOST_SERIES} series in this range: ask for a name, or for a shorter range`
  )
}
