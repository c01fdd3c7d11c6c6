import { randomUUID } from 'node:crypto'
import { setImmediate as otherWork } from 'node:timers/promises'
import { rollUp, startRollingUp, stopRollingUp } from '../../store/roll-up.js'
import type { Store } from '../../store/store.js'
import type { DatabaseClock } from './database-clock.js'
import { OpenMinute } from '../rollups/open-minute.js'
import { pack } from '../rollups/pack.js'
import { seriesId } from '../rollups/series-id.js'
import { SeriesNames } from './series-names.js'
import { floorTo, MINUTES } from './tables.js'

/** After so many series requests come first. */
const SERIES_AT_A_TIME = 100
/** What is replaced ten seconds later need not be small. */
const QUICK = 1
const MOST_MINUTES = 60
const MOST_BYTES = 16 * 1024 * 1024
/** By how much the database's clock may go back before what comes is another process' as far as keys go. */
const PATIENCE = 2 * MINUTES.width

/** A process as the database knows it: what it writes can never collide with what another one did. */
export interface Writer {
  readonly boot: string
  /** Its row; undefined until it has one. */
  id: number | undefined
}

/** A minute that is over, as it will be written. */
export interface ClosedMinute {
  readonly writer: Writer
  at: number
  readonly data: Buffer
}

/** Takes what the store has measured minute by minute, and holds it until it has been written, up to 60 minutes. */
export class Recorder {
  writer: Writer = { boot: randomUUID(), id: undefined }
  /** Of all writers that this process has been. */
  readonly boots: Set<string>
  /** The oldest first. */
  readonly waiting: ClosedMinute[] = []
  /** Minutes that were given up. */
  dropped = 0
  readonly names = new SeriesNames()
  readonly #store: Store
  readonly #service: string
  readonly #clock: DatabaseClock
  #open: OpenMinute
  /** Until what was closed waits. */
  #closing: Promise<void> | undefined
  #isStopped = false

  /** Where `boots` is not empty, what the store holds has been written by a recorder before this one. */
  constructor(store: Store, service: string, clock: DatabaseClock, boots = new Set<string>()) {
    this.#store = store
    this.#service = service
    this.#clock = clock
    this.#open = new OpenMinute(this.#minute())
    startRollingUp(store)
    if (boots.size > 0) passOver(store)
    this.boots = boots.add(this.writer.boot)
    // What is measured from now on waits for the first time that it is taken.
    store.collectors.collected(this, store.now())
  }

  get openAt(): number {
    return this.#open.at
  }

  /** Takes what has come since the last time, and closes the minute if it is over. */
  async take(): Promise<void> {
    const began = this.#store.now()
    let taken = 0
    for (const came of rollUp(this.#store)) {
      taken += 1
      if (taken % SERIES_AT_A_TIME === 0) await otherWork()
      if (this.#isStopped) {
        came?.rollup.sums.reset()
        return
      }
      if (came === undefined) continue
      const id = seriesId(this.#service, came.identity)
      this.#open.add(id, came)
      this.names.met(id, came.identity)
    }
    if (this.#isStopped) return
    this.#store.collectors.collected(this, began)
    const minute = this.#minute()
    if (minute > this.#open.at || minute < this.#open.at - PATIENCE) await this.close()
  }

  /** Ends the open minute now; what comes later is in another one. */
  async close(): Promise<void> {
    const closed = this.#open
    const { writer } = this
    this.#begin(this.#minute())
    if (closed.isEmpty) return
    const closing = this.#putAside(closed, writer, this.#closing)
    this.#closing = closing
    await closing.finally(() => {
      if (this.#closing === closing) this.#closing = undefined
    })
  }

  /** Waits until all that was closed is among what waits. */
  async settled(): Promise<void> {
    while (this.#closing !== undefined) await this.#closing.catch(() => undefined)
  }

  /** The open minute as it is now or in a moment; what ends it meanwhile reads it after this has, and empties it then. */
  packOpen(): Promise<Buffer> {
    return pack(this.#open.entries, QUICK)
  }

  /** Nothing has been written yet, and the clock that minutes were cut by was wrong by so many milliseconds. */
  moveBy(milliseconds: number): void {
    const whole = Math.round(milliseconds / MINUTES.width) * MINUTES.width
    for (const minute of [...this.waiting, this.#open]) minute.at += whole
  }

  /** Gives up what is older, which nobody would keep. */
  giveUpBefore(time: number): void {
    const young = this.waiting.filter(({ at }) => at >= time)
    this.dropped += this.waiting.length - young.length
    this.waiting.splice(0, this.waiting.length, ...young)
  }

  /** Gives up all there is, which can never be written, and takes nothing any more. */
  stop(): void {
    this.#isStopped = true
    this.dropped += this.waiting.length + (this.#open.isEmpty ? 0 : 1)
    this.waiting.length = 0
    this.#open.forget()
    this.names.clear()
    stopRollingUp(this.#store)
    this.#store.collectors.left(this)
  }

  /** Says that these minutes are written for good. */
  areWritten(minutes: readonly ClosedMinute[]): void {
    const written = new Set(minutes)
    const left = this.waiting.filter(minute => !written.has(minute))
    this.waiting.splice(0, this.waiting.length, ...left)
  }

  async #putAside(closed: OpenMinute, writer: Writer, before: Promise<void> | undefined): Promise<void> {
    try {
      const data = await pack(closed.entries)
      await before?.catch(() => undefined)
      this.#wait({ writer, at: closed.at, data })
    } catch (error) {
      this.dropped += 1
      throw error
    } finally {
      closed.forget()
    }
  }

  #begin(minute: number): void {
    const last = this.#open.at
    if (minute < last) {
      this.writer = { boot: randomUUID(), id: undefined }
      this.boots.add(this.writer.boot)
    }
    this.#open = new OpenMinute(minute)
    if (new Date(last).getUTCDate() !== new Date(minute).getUTCDate()) this.names.beginAnew()
  }

  #wait(minute: ClosedMinute): void {
    if (this.#isStopped) {
      this.dropped += 1
      return
    }
    this.waiting.push(minute)
    let bytes = this.waiting.reduce((sum, { data }) => sum + data.length, 0)
    while (this.waiting.length > MOST_MINUTES || bytes > MOST_BYTES) {
      bytes -= this.waiting.shift()?.data.length ?? 0
      this.dropped += 1
    }
  }

  #minute(): number {
    return floorTo(MINUTES.width, this.#clock.now())
  }
}

/** Takes what has come so far, for nobody. */
function passOver(store: Store): void {
  for (const came of rollUp(store)) came?.rollup.sums.reset()
}
