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
    if (level === undefined || !this.#mayWrite(level, `Resolver ${name}`)) return
    const fields = { resolver: name, ...fieldsOf(measurement) }
    this.logger?.[level](fields, `PERFORMANCE: Resolver ${name} took ${inSeconds(measurement)}`)
  }

  query(statement: LoggedStatement, measurement: Measurement): void {
    const level = this.#levelOf(measurement, this.#config().slowQueryThreshold)
    const { name, operation, table, text } = statement
    if (level === undefined || !this.#mayWrite(level, `Query ${name}`)) return
    const fields = { query: name, operation, table, statement: text, ...fieldsOf(measurement) }
    this.logger?.[level](fields, `PERFORMANCE: Query ${name} took ${inSeconds(measurement)}`)
  }

  cache(outcome: 'hit' | 'miss', name: string, measurement: Measurement): void {
    if (!this.#config().logAllMetrics) return
    const label = outcome === 'hit' ? 'CACHE HIT' : 'CACHE MISS'
    if (!this.#mayWrite('info', `${label} ${name}`)) return
    this.logger?.info({ cache: name, ...fieldsOf(measurement) }, `${label}: took ${inSeconds(measurement)}`)
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
    this.logger?.info({ leftOut, total }, `PERFORMANCE: ${total} lines of the last minute were left out`)
  }

  #levelOf({ duration }: Measurement, threshold: number): Level | undefined {
    if (duration >= threshold * 1e9) return 'warn'
    return this.#config().logAllMetrics ? 'info' : undefined
  }

  #mayWrite(level: Level, series: string): boolean {
    if (this.logger === undefined) return false
    this.tick()
    return this.#lines[level].admits(series)
  }
}

/** Counts the lines of one level in one minute. */
class LineCap {
  readonly #asked = new Map<string, number>()
  readonly #leftOut = new Map<string, number>()
  #written = 0

  admits(series: string): boolean {
    const name = this.#asked.has(series) || this.#asked.size < NAMES_PER_MINUTE ? series : '(other)'
    const asked = this.#asked.get(name) ?? 0
    this.#asked.set(name, asked + 1)
    if (asked < LINES_PER_SERIES && this.#written < LINES_PER_MINUTE) {
      this.#written += 1
      return true
    }
    this.#leftOut.set(name, (this.#leftOut.get(name) ?? 0) + 1)
    return false
  }

  takeLeftOut(): { readonly series: string; readonly lines: number }[] {
    const left = [...this.#leftOut].map(([series, lines]) => ({ series, lines }))
    this.#asked.clear()
    this.#leftOut.clear()
    this.#written = 0
    return left
  }
}

function fieldsOf({ duration, failed, traceId }: Measurement): object {
  const trace = traceIdText(traceId)
  return { executionTime: duration / 1e9, failed, ...(trace === null ? {} : { traceId: trace }) }
}

function inSeconds({ duration }: Measurement): string {
  return `${(duration / 1e9).toFixed(4)}s`
}
