import { BACKGROUND, backoffDelay } from '../../database/backoff.js'
import type { DatabaseClock } from './database-clock.js'
import type { HistoryDatabase } from './database.js'
import { makePartitions } from './partitions.js'
import { codeOf } from '../problems.js'
import type { Recorder } from './recorder.js'
import { prepareSchema, SCHEMA_VERSION } from './schema.js'
import type { HistorySettings } from '../settings.js'
import { keepOpen, NewerSchema, writeMinutes, writeNames, writeOpen } from './statements.js'
import { SCHEMA } from './tables.js'
import { registerWriters } from './writers.js'

const MINUTES_AT_A_TIME = 20

type Names = Parameters<typeof writeNames>[2]

/** Whether what is to be kept was written, could not be for now, or never can be. */
export interface WriterEvents {
  written(): void
  failed(error: unknown): void
  /** The tables are those of a later version of this package, which needs `version` of them. */
  outdated(version: number): void
}

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
  /** When the open minute began that was written last. */
  #written = -Infinity
  /** Until when everything has been dropped that others measured, as far as it matters to what waits here. */
  #dropped = -Infinity
  #isOutdated = false
  #isStopped = false
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

  /** What is being written goes on; nothing is tried again. */
  stop(): void {
    this.#isStopped = true
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
      do await this.#flush(isLast)
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
      this.#recorder.stop()
      this.#events.outdated(Number(error.message))
      return
    }
    // Somebody may have taken the tables away, or partitions may be missing for a clock that was set.
    if (/^(?:42P01|3F000|23514)$/.test(codeOf(error) ?? '')) this.#isPrepared = false
    this.#events.failed(error)
    clearTimeout(this.#retry)
    if (this.#isStopped) return
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
    const answeredAt = this.#clock.now()
    await this.#recorder.settled()
    this.#recorder.moveBy(this.#clock.set(Number(answer?.now) + this.#clock.now() - answeredAt))
    const times = [this.#written, ...this.#recorder.waiting.map(({ at }) => at)].filter(at => at >= this.#oldest)
    this.#dropped = await makePartitions(this.#database, this.#clock.now(), times)
    this.#recorder.giveUpBefore(this.#oldest)
    this.#isPrepared = true
  }

  /** What began before is not kept any more, by this process or by others that have dropped what was measured then. */
  get #oldest(): number {
    return Math.max(this.#dropped, this.#clock.now() - this.#settings.retention.minutes * 1000)
  }

  async #flush(isLast: boolean): Promise<void> {
    await this.#recorder.settled()
    // Chosen in one moment: nothing is awaited in between. Only the open minute may grow while it is read.
    const minutes = this.#recorder.waiting.slice(0, MINUTES_AT_A_TIME)
    const isAll = minutes.length === this.#recorder.waiting.length
    const { names, writer, openAt } = this.#recorder
    // What was written of a minute while it was open need not be kept where all of it comes now.
    const isCovered = [openAt, ...minutes.map(({ at }) => at)].includes(this.#written)
    const open = await this.#recorder.packOpen()
    const writers = new Set([writer, ...minutes.map(minute => minute.writer)])
    let told: Names = []
    const now = await this.#database.transaction(async client => {
      // Somebody has taken rows away: what was named before is not any more.
      if (!(await registerWriters(client, this.#settings, writers))) names.nameAgain()
      told = [...names.unnamed].sort(([one], [other]) => one - other)
      if (told.length > 0) await writeNames(client, this.#settings.service, told)
      if (minutes.length > 0) await writeMinutes(client, minutes)
      // The open minute that was written last is all there is of it until it has been closed.
      if (!isAll) return undefined
      if (!isCovered) await keepOpen(client, writer, this.#oldest, openAt)
      if (isLast)
        await client.query(`UPDATE ${SCHEMA}.writers SET ended = clock_timestamp() WHERE id = $1`, [writer.id])
      return writeOpen(client, writer, openAt, open)
    })
    if (now !== undefined) {
      this.#clock.set(now)
      this.#written = openAt
    }
    names.areNamed(told)
    this.#recorder.areWritten(minutes)
  }
}
