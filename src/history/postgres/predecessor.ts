import { setImmediate as otherWork } from 'node:timers/promises'
import { identityKey, type SeriesIdentity } from '../../store/identity.js'
import { restore } from '../../store/roll-up.js'
import type { Store } from '../../store/store.js'
import { epochAt, widened, type Window } from '../../store/window.js'
import type { DatabaseClock } from './database-clock.js'
import type { HistoryDatabase } from './database.js'
import { isOfConnection } from '../problems.js'
import { unpack, type Entry } from '../rollups/pack.js'
import type { HistorySettings } from '../settings.js'
import { MINUTES, SCHEMA } from './tables.js'

/** Whoever has not been seen for so long is gone; processes that live say so every ten seconds. */
const GONE_AFTER = '25 s'
/** After so many series requests come first. */
const SERIES_AT_A_TIME = 100
/** So much of it is held at once, however long what was measured is kept and whatever it was. */
const MINUTES_AT_A_TIME = 20
const MOST_NAMED = 20_000

interface Minute {
  readonly at: Date
  readonly data: Buffer
}

/** What the processes measured that had the name of this instance before it, read once each. */
export class Predecessor {
  readonly #database: HistoryDatabase
  readonly #clock: DatabaseClock
  readonly #settings: HistorySettings
  /** The newest minute of each that is in the store, milliseconds since 1970; Infinity once all of it is. */
  readonly #restored = new Map<number, number>()

  constructor(database: HistoryDatabase, clock: DatabaseClock, settings: HistorySettings) {
    this.#database = database
    this.#clock = clock
    this.#settings = settings
  }

  /**
   * Adds to `store` what is young enough of the processes that are gone, but for the writers in `own`. Answers whether of
   * some it cannot be told yet: one that was killed a moment ago looks like one that lives.
   *
   * @throws what the first of them failed with, once the others are there
   */
  async restoreInto(store: Store, own: readonly string[]): Promise<boolean> {
    const { service, instance } = this.#settings
    const { retention } = store.window
    const since = retention === Infinity ? 0 : this.#clock.now() - retention / 1e6 - MINUTES.width
    const writers = await this.#database.query<{ id: number; isGone: boolean }>(
      `
        SELECT id, ended IS NOT NULL OR seen < clock_timestamp() - interval '${GONE_AFTER}' AS "isGone"
        FROM ${SCHEMA}.writers
          JOIN ${SCHEMA}.live ON live.writer = writers.id
        WHERE service = $1 AND instance = $2 AND NOT boot = ANY ($3) AND seen >= $4
      `,
      [service, instance, own, new Date(since)]
    )
    const unread = writers.filter(({ id }) => this.#restored.get(id) !== Infinity)
    const failures: unknown[] = []
    for (const { id } of unread.filter(({ isGone }) => isGone)) {
      try {
        await this.#restore(store, id, since)
      } catch (error) {
        // The others would fail with it as well.
        if (isOfConnection(error)) throw error
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
    return unread.some(({ isGone }) => !isGone)
  }

  /** Goes on where it failed before, if it did. */
  async #restore(store: Store, writer: number, since: number): Promise<void> {
    const now = this.#clock.now()
    const identities = new Map<number, SeriesIdentity>()
    let rows: readonly Minute[]
    do {
      rows = await this.#minutesAfter(writer, this.#restored.get(writer) ?? since)
      for (const { at, data } of rows) {
        const entries = await unpack(data)
        await this.#name(identities, entries)
        // From here on nothing fails, or part of the minute would be added again with the next attempt.
        await add(store, entries, identities, this.#endOf(at.getTime(), store.window, now))
        this.#restored.set(writer, at.getTime())
      }
    } while (rows.length === MINUTES_AT_A_TIME)
    this.#restored.set(writer, Infinity)
  }

  #minutesAfter(writer: number, time: number): Promise<Minute[]> {
    return this.#database.query<Minute>(
      `
        SELECT at, data FROM ${SCHEMA}.minutes WHERE writer = $1 AND at > $2
        UNION ALL
        SELECT at, data FROM ${SCHEMA}.live
        WHERE writer = $1 AND at > $2
          AND NOT EXISTS (SELECT FROM ${SCHEMA}.minutes WHERE minutes.at = live.at AND minutes.writer = live.writer)
        ORDER BY at
        LIMIT ${MINUTES_AT_A_TIME}
      `,
      [writer, new Date(time)]
    )
  }

  /**
   * When the minute at `at` was over, in monotonic nanoseconds. Where everything is kept no slot is ever used again, so
   * minutes are put together as they would be had this process measured them: into slots that are as wide as need be.
   */
  #endOf(at: number, window: Window, now: number): number {
    const end = this.#clock.monotonicOf(Math.min(at + MINUTES.width - 1, now))
    if (window.retention !== Infinity) return end
    const latest = this.#clock.monotonicOf(now)
    const wide = widened(window, this.#clock.monotonicOf(now - this.#settings.retention.minutes * 1000), latest)
    return Math.min((epochAt(wide, end) + 1) * wide.width - 1, latest)
  }

  async #name(identities: Map<number, SeriesIdentity>, entries: readonly Entry[]): Promise<void> {
    if (identities.size > MOST_NAMED) identities.clear()
    const ids = entries.map(({ id }) => id).filter(id => !identities.has(id))
    if (ids.length === 0) return
    const rows = await this.#database.query<SeriesIdentity & { readonly id: string }>(
      `SELECT id, kind, name, labels, overflow AS "isOverflow" FROM ${SCHEMA}.series WHERE id = ANY ($1)`,
      [ids]
    )
    for (const { id, ...identity } of rows) identities.set(Number(id), identity)
  }
}

/** Adds a minute that was over at `end`; what nobody has named is nobody's. */
async function add(
  store: Store,
  entries: readonly Entry[],
  identities: ReadonlyMap<number, SeriesIdentity>,
  end: number
): Promise<void> {
  for (const [index, { id, rollup, last }] of entries.entries()) {
    if (index % SERIES_AT_A_TIME === 0) await otherWork()
    const identity = identities.get(id)
    if (identity !== undefined) restore(store, identityKey(identity), { identity, rollup, last }, end)
  }
}
