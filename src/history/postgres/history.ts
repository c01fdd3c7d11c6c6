import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.js'
import type { HistoryReader, HistoryReport } from '../../store/history.js'
import type { Store } from '../../store/store.js'
import { compact } from './compaction.js'
import { DatabaseClock } from './database-clock.js'
import { HistoryDatabase } from './database.js'
import { PostgresReader } from './reader.js'
import { Predecessor } from './predecessor.js'
import { Recorder } from './recorder.js'
import { SCHEMA_VERSION } from './schema.js'
import type { Chore } from '../chore.js'
import { isOfConnection } from '../problems.js'
import type { HistorySettings } from '../settings.js'
import { HistoryStatus, quiet, type HistoryLog } from '../status.js'
import { MINUTES } from './tables.js'
import { untraced } from '../untraced.js'
import { HistoryWriter } from './writer.js'

const INTERVAL = 10_000
const CLOSE_LIMIT = 2_000
/** Questions of one request take turns; milliseconds that the last one waits. */
const READING_PATIENCE = 30_000
/** When a minute's rollups are merged, in milliseconds after its end: not all instances try at once. */
const MERGED_FROM = 15_000
const MERGED_WITHIN = 30_000
/** Until then a predecessor that was killed has been silent for long enough. */
const LOOKED_AGAIN_AFTER = 30_000
const LOOKS = 20

export interface HistoryParts {
  readonly settings: HistorySettings
  readonly clock: Clock
  readonly store: Store
  /** Takes what was measured before this process under its name. */
  readonly earlier: Store
  /** What this process has written under so far; it is added to. Default: nothing. */
  readonly boots?: Set<string>
  /** What it throws goes to `caught`. */
  readonly log: HistoryLog
  /** Default: what `log` throws is dropped. */
  readonly caught?: ((error: unknown) => void) | undefined
  /** Milliseconds between two writes: so much is lost of a process that is killed. Default: 10,000. */
  readonly interval?: number
}

/** Keeps in Postgres what the process measures, beside the application and without ever failing it. */
export class History {
  readonly reader: HistoryReader
  readonly #parts: HistoryParts
  readonly #clock: DatabaseClock
  readonly #database: HistoryDatabase
  readonly #reading: HistoryDatabase
  readonly #recorder: Recorder
  readonly #writer: HistoryWriter
  readonly #predecessor: Predecessor
  readonly #status: HistoryStatus
  readonly #log: HistoryLog
  /** Monotonic nanoseconds. */
  readonly #createdAt: number
  #lookAgainAt = -Infinity
  #looks = 0
  #mergedAt = 0
  readonly #phase = MERGED_FROM + Math.random() * MERGED_WITHIN
  #busy: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: HistoryParts) {
    const { settings, clock, store, boots = new Set(), log, caught } = parts
    this.#parts = parts
    this.#createdAt = clock.monotonic()
    this.#log = quiet(log, caught)
    this.#status = new HistoryStatus(clock, this.#log, settings.urlSetting)
    this.#clock = new DatabaseClock(clock)
    this.#database = new HistoryDatabase(settings.url)
    this.#reading = new HistoryDatabase(settings.url, READING_PATIENCE)
    this.#recorder = new Recorder(store, settings.service, this.#clock, boots)
    this.#predecessor = new Predecessor(this.#database, this.#clock, settings)
    this.reader = new PostgresReader(this.#reading, this.#clock, settings)
    this.#writer = new HistoryWriter(this.#recorder, this.#database, this.#clock, settings, {
      written: () => {
        this.#status.written()
      },
      failed: error => {
        this.#status.failed(error)
      },
      outdated: version => {
        this.#status.stopped(
          `the tables are of version ${version}, and this process knows ${SCHEMA_VERSION}: update it`
        )
      }
    })
  }

  start(): void {
    void this.#turn()
  }

  get report(): HistoryReport {
    const { state, problem, lastWritten } = this.#status
    return {
      state,
      problem,
      lastWritten: lastWritten === null ? null : new Date(lastWritten).toISOString(),
      waitingMinutes: this.#recorder.waiting.length,
      droppedMinutes: this.#recorder.dropped
    }
  }

  /** Takes what has been measured, and writes it where that is possible now. */
  async flush(): Promise<void> {
    await untraced(async () => {
      await this.#recorder.take()
      await this.#writer.write()
    })
  }

  /** Merges what all instances have written; another instance may be at it, or have done it. */
  async compact(): Promise<void> {
    await compact(this.#database, this.#parts.settings.retention, this.#clock.now())
  }

  /** Writes what there still is, in at most two seconds. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    const last = async (): Promise<void> => {
      await this.#busy
      if (this.#status.state !== 'STOPPED') {
        await this.#recorder.take()
        await this.#recorder.close()
        await this.#writer.writeLast()
      }
      this.#writer.stop()
      await Promise.all([this.#database.close(), this.#reading.close()])
    }
    await Promise.race([untraced(last).catch(() => undefined), delay(CLOSE_LIMIT, undefined, { ref: false })])
    this.#writer.stop()
    const unwritten = this.#recorder.waiting.length
    if (unwritten > 0 && this.#status.state !== 'STOPPED')
      this.#log(
        'warn',
        { unwritten },
        `PERFORMANCE: minutes of history that were not written before the end: ${unwritten}`
      )
  }

  async #turn(): Promise<void> {
    this.#busy = this.#work()
    await this.#busy
    if (this.#isClosed || this.#status.state === 'STOPPED') return
    // Aligned, so that a minute is closed right after its end.
    const { interval = INTERVAL } = this.#parts
    const wait = interval - (this.#clock.now() % interval) + 1
    this.#timer = setTimeout(() => void this.#turn(), wait).unref()
  }

  async #work(): Promise<void> {
    try {
      await this.#recorder.take()
      // Not waited for: what is measured meanwhile is taken in time all the same.
      void untraced(() => this.#write())
    } catch (error) {
      this.#status.failed(error)
    }
  }

  async #write(): Promise<void> {
    await this.#writer.write()
    if (this.#status.state !== 'WRITING') return
    await this.#try(this.#status.lookingBack, () => this.#lookBack())
    await this.#try(this.#status.merging, () => this.#mergeInTurn())
  }

  /** `work` answers whether it is known to go well. */
  async #try(chore: Chore, work: () => Promise<boolean>): Promise<void> {
    try {
      if (await work()) chore.done()
    } catch (error) {
      if (!this.#isClosed) chore.failed(error)
    }
  }

  async #lookBack(): Promise<boolean> {
    const now = this.#clock.now()
    const { clock, earlier } = this.#parts
    // Nobody misses what would not be shown any more.
    if (now < this.#lookAgainAt) return clock.monotonic() - this.#createdAt > earlier.window.retention
    this.#lookAgainAt = Infinity
    this.#looks += 1
    try {
      const isUnsure = await this.#predecessor.restoreInto(earlier, [...this.#recorder.boots])
      if (isUnsure) this.#lookAgainAt = this.#laterThan(now)
      return true
    } catch (error) {
      // It has seen nothing.
      if (isOfConnection(error)) this.#looks -= 1
      this.#lookAgainAt = this.#laterThan(now)
      throw error
    }
  }

  /** A process that lives on under the same name, or what cannot be read, is not looked at for ever. */
  #laterThan(now: number): number {
    return this.#looks < LOOKS ? now + LOOKED_AGAIN_AFTER : Infinity
  }

  async #mergeInTurn(): Promise<boolean> {
    const now = this.#clock.now()
    const minute = now - (now % MINUTES.width)
    if (minute === this.#mergedAt || now - minute < this.#phase) return false
    this.#mergedAt = minute
    return compact(this.#database, this.#parts.settings.retention, now)
  }
}
