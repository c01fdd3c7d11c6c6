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
import type { DatabaseClock } from './database-clock.js'
import type { HistoryDatabase } from './database.js'
import { Merging } from '../rollups/merging.js'
import { mergedWindows } from './merged-windows.js'
import { finestAt, planFor, wholeWindows } from './plan.js'
import type { HistorySettings } from '../settings.js'
import { readMerged, readMinutes, type Take } from './stored-rows.js'
import { DAYS, floorTo, HOURS, MINUTES, SCHEMA } from './tables.js'

const ONE_STATE = 'ISOLATION LEVEL REPEATABLE READ READ ONLY'
const REPORTING_SECONDS = 30
const INSTANCES_LISTED = 1000
/** Distinct series of one answer; services have hundreds or thousands. */
const MOST_SERIES = 50_000

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
    const wanted = { service: this.#settings.service, choice, ids }
    await readMerged(client, plan, wanted, take)
    await readMinutes(client, plan, wanted, take)
  }

  async #idsOf(client: TransactionClient, { kinds, name }: SeriesChoice): Promise<ReadonlySet<number>> {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${SCHEMA}.series WHERE service = $1 AND kind = ANY ($2) AND name = $3`,
      [this.#settings.service, kinds, name]
    )
    return new Set(rows.map(({ id }) => Number(id)))
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
