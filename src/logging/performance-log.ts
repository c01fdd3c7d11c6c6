import type { PerformanceConfig } from '../config.js'
import type { Clock } from '../lib/clock.js'
import { traceIdText, type Measurement } from '../spans/measurement.js'

/** The part of a pino logger that is used. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LoggedStatement {
  readonly name: string
  readonly operation: string
  readonly table: string | null
  /** Redacted. */
  readonly text: string
}

const MINUTE = 60e9
const LINES_PER_SERIES = 10
const LINES_PER_MINUTE = 1000
const NAMES_PER_MINUTE = 1000
const NAMES_IN_SUMMARY = 20

type Level = 'info' | 'warn'

/**
 * Writes slow calls at warn and, where everything is to be logged, the others at info. At most ten lines a series and
 * 1,000 lines in all, a level and a minute; a line at the end of the minute counts what was left out.
 */
export class PerformanceLog {
  /** Undefined until the application has a logger; nothing is written before. */
  logger: Logger | undefined = undefined
  readonly #clock: Clock
  readonly #config: () => PerformanceConfig
  readonly #lines = { info: new LineCap(), warn: new LineCap() }
  #minuteEnds = 0

  constructor(clock: Clock, config: () => PerformanceConfig) {
    this.#clock = clock
    this.#config = config
  }

  resolver(name: string, measurement: Measurement): void {
    const level = this.#levelOf(measurement, this.#config().slowResolverThreshold)
    if (level === undefined || !this.#mayWrite(level, 'Resolver', name)) return
    const fields = { resolver: name, ...fieldsOf(measurement) }
    this.say(level, fields, `PERFORMANCE: Resolver ${name} took ${inSeconds(measurement)}`)
  }

  operation(type: string, name: string, measurement: Measurement): void {
    const level = this.#levelOf(measurement, this.#config().slowOperationThreshold)
    if (level === undefined || !this.#mayWrite(level, 'Operation', name)) return
    const fields = { operation: name, type, ...fieldsOf(measurement) }
    this.say(level, fields, `PERFORMANCE: Operation ${name} took ${inSeconds(measurement)}`)
  }

  query(statement: LoggedStatement, measurement: Measurement): void {
    const level = this.#levelOf(measurement, this.#config().slowQueryThreshold)
    const { name, operation, table, text } = statement
    if (level === undefined || !this.#mayWrite(level, 'Query', name)) return
    const fields = { query: name, operation, table, statement: text, ...fieldsOf(measurement) }
    this.say(level, fields, `PERFORMANCE: Query ${name} took ${inSeconds(measurement)}`)
  }

  cache(outcome: 'hit' | 'miss', name: string, measurement: Measurement): void {
    if (!this.#config().logAllMetrics) return
    const label = outcome === 'hit' ? 'CACHE HIT' : 'CACHE MISS'
    if (!this.#mayWrite('info', label, name)) return
    this.say('info', { cache: name, ...fieldsOf(measurement) }, `${label}: took ${inSeconds(measurement)}`)
  }

  /** Writes a line, whatever the others are. That a logger throws is no fault of what was measured, and costs none of it. */
  say(level: Level, fields: object, message: string): void {
    try {
      this.logger?.[level](fields, message)
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Ends the minute if it is over: says what was left out in it and starts counting anew. */
  tick(): void {
    if (this.#clock.monotonic() >= this.#minuteEnds) this.flush()
  }

  /** Says now what was left out since the last time. */
  flush(): void {
    this.#minuteEnds = this.#clock.monotonic() + MINUTE
    const left = [...this.#lines.info.takeLeftOut(), ...this.#lines.warn.takeLeftOut()]
    if (left.length === 0) return
    const total = left.reduce((sum, { lines }) => sum + lines, 0)
    const leftOut = left.sort((one, other) => other.lines - one.lines).slice(0, NAMES_IN_SUMMARY)
    this.say('info', { leftOut, total }, `PERFORMANCE: ${total} lines of the last minute were left out`)
  }

  #levelOf({ duration }: Measurement, threshold: number): Level | undefined {
    if (duration >= threshold * 1e9) return 'warn'
    return this.#config().logAllMetrics ? 'info' : undefined
  }

  #mayWrite(level: Level, kind: string, name: string): boolean {
    if (this.logger === undefined) return false
    this.tick()
    return this.#lines[level].admits(kind, name)
  }
}

/** What was to be written of one series in one minute. */
class Tally {
  readonly series: string
  asked = 0
  leftOut = 0

  constructor(series: string) {
    this.series = series
  }
}

/** Counts the lines of one level in one minute. */
class LineCap {
  /** By kind and by name: to put the two together each time would be most of what a line takes that is left out. */
  readonly #tallies = new Map<string, Map<string, Tally>>()
  #names = 0
  #others = new Tally('(other)')
  #written = 0

  admits(kind: string, name: string): boolean {
    const tally = this.#tallies.get(kind)?.get(name) ?? this.#newTally(kind, name)
    tally.asked += 1
    if (tally.asked <= LINES_PER_SERIES && this.#written < LINES_PER_MINUTE) {
      this.#written += 1
      return true
    }
    tally.leftOut += 1
    return false
  }

  takeLeftOut(): { readonly series: string; readonly lines: number }[] {
    const tallies = [...[...this.#tallies.values()].flatMap(ofKind => [...ofKind.values()]), this.#others]
    this.#tallies.clear()
    this.#names = 0
    this.#others = new Tally(this.#others.series)
    this.#written = 0
    return tallies.filter(({ leftOut }) => leftOut > 0).map(({ series, leftOut }) => ({ series, lines: leftOut }))
  }

  #newTally(kind: string, name: string): Tally {
    if (this.#names >= NAMES_PER_MINUTE) return this.#others
    this.#names += 1
    const ofKind = this.#tallies.get(kind) ?? new Map<string, Tally>()
    const tally = new Tally(`${kind} ${name}`)
    this.#tallies.set(kind, ofKind.set(name, tally))
    return tally
  }
}

function fieldsOf({ duration, failed, traceId }: Measurement): object {
  const trace = traceIdText(traceId)
  return { executionTime: duration / 1e9, failed, ...(trace === null ? {} : { traceId: trace }) }
}

function inSeconds({ duration }: Measurement): string {
  return `${(duration / 1e9).toFixed(4)}s`
}
