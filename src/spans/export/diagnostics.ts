import { inspect } from 'node:util'
import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api'
import { getStringFromEnv, setGlobalErrorHandler } from '@opentelemetry/core'
import type { Clock } from '../../lib/clock.js'

const MINUTE = 60e9
const LONGEST_LINE = 400
const LINES_AT_START = 50
const API = Symbol.for('opentelemetry.js.api.1')

export type WriteDiagnostic = (level: 'warn' | 'error', line: string) => void

/**
 * Lets OpenTelemetry say what is wrong, which by itself it keeps to itself: at start each bad setting in one line, then at
 * most one line a minute, so that a collector that is down does not fill the log. Does nothing where the application has
 * asked for more with `OTEL_LOG_LEVEL`, or has a diagnostic logger of its own.
 */
export class Diagnostics {
  readonly #write: WriteDiagnostic
  readonly #clock: Clock
  readonly #atStart = new Set<string>()
  #isStarting = true
  #quietUntil = -Infinity
  #leftOut = 0

  constructor(clock: Clock, write: WriteDiagnostic) {
    this.#clock = clock
    this.#write = write
    if (hasLogger()) return
    diag.setLogger(this.#logger(), { logLevel: DiagLogLevel.WARN })
    setGlobalErrorHandler(error => {
      this.#say('error', ['export failed:', error])
    })
  }

  /** To be called right before the SDK is made, which sets up what `OTEL_LOG_LEVEL` asks for. */
  giveWay(): void {
    if (getStringFromEnv('OTEL_LOG_LEVEL') !== undefined) diag.disable()
  }

  /** From now on at most one line a minute. */
  started(): void {
    this.#isStarting = false
    this.#atStart.clear()
  }

  #logger(): DiagLogger {
    const quiet = (): void => undefined
    return {
      error: (...parts) => {
        this.#say('error', parts)
      },
      warn: (...parts) => {
        this.#say('warn', parts)
      },
      info: quiet,
      debug: quiet,
      verbose: quiet
    }
  }

  /** A logger that throws must not throw out of what OpenTelemetry was doing, such as ending the span of a query. */
  #say(level: 'warn' | 'error', parts: readonly unknown[]): void {
    try {
      const line = this.#lineToWrite(parts)
      if (line !== undefined) this.#write(level, line)
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Undefined where it is left out. */
  #lineToWrite(parts: readonly unknown[]): string | undefined {
    const line = lineOf(parts)
    if (this.#isStarting) {
      if (this.#atStart.has(line) || this.#atStart.size >= LINES_AT_START) return undefined
      this.#atStart.add(line)
      return line
    }
    const now = this.#clock.monotonic()
    if (now < this.#quietUntil) {
      this.#leftOut += 1
      return undefined
    }
    const more = this.#leftOut === 0 ? '' : ` (and ${this.#leftOut} more such lines in the minute before)`
    this.#quietUntil = now + MINUTE
    this.#leftOut = 0
    return `${line}${more}`
  }
}

function hasLogger(): boolean {
  return (globalThis as { [API]?: { diag?: unknown } })[API]?.diag !== undefined
}

/** One line, without the password that an endpoint's URL may hold, even where it is no URL for all the signs in it. */
function lineOf(parts: readonly unknown[]): string {
  const text = parts
    .map(textOf)
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\/\/[^\s'"]*@/g, '//')
  return text.length <= LONGEST_LINE ? text : `${text.slice(0, LONGEST_LINE)}…`
}

function textOf(part: unknown): string {
  if (typeof part === 'string') return part
  if (!(part instanceof Error)) return inspect(part, { depth: 2, breakLength: Infinity })
  const { code } = part as Error & { readonly code?: unknown }
  // Of several addresses that were tried there is no message, only the code.
  return part.message === '' && typeof code === 'string' ? code : part.message
}
