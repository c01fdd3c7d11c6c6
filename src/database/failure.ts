import { constants } from 'node:os'
import { PerformanceError } from '../errors.js'

/**
 * What an error of the driver says about a statement, whatever the statement was:
 * - `unconnected`: there was no connection, so nothing happened
 * - `rolled back`: Postgres undid it because of others, and doing it again may succeed
 * - `lost`: the connection broke; what was on its way may have happened
 * - `final`: to do it again would fail again, or is not ours to decide
 */
export type Failure = 'unconnected' | 'rolled back' | 'lost' | 'final'

/** Codes of Node's network errors that pass. A host that does not exist (ENOTFOUND) is a slip in the configuration. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH'
])

/** SQLSTATEs by themselves; class 08 is added below. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const states: ReadonlyMap<string, Failure> = new Map([
  ['57P03', 'unconnected'],
  ['53300', 'unconnected'],
  ['40001', 'rolled back'],
  ['40P01', 'rolled back'],
  ['57P01', 'lost'],
  ['57P02', 'lost'],
  ['57P05', 'lost'],
  ['25P03', 'lost']
])

/** The driver's own errors, which have no code. */
const messages: readonly (readonly [start: string, failure: Failure])[] = [
  ['Connection terminated', 'lost'],
  ['Query read timeout', 'lost'],
  // Said instead of sending the statement.
  ['Client has encountered a connection error and is not queryable', 'unconnected'],
  ['Client was closed and is not queryable', 'unconnected'],
  // Of a connection that was being made; `timeout exceeded when trying to connect` is the pool's, and final.
  ['timeout expired', 'lost']
]

/**
 * FATAL and PANIC, which end the connection, in the languages that Postgres is translated into: the driver passes on the
 * translated word alone, and most languages keep these two. A word that is not here looks like one of a refusal.
 */
const endingSeverity = /^(?:FATAL|PANI|ÖLÜMC|KRİT|ВАЖНО|ФАТАЛ|ПАН[ИІ]К|치명|손상|ფატალ|პანიკ|致命|比致命)/

/** SQLSTATEs that turn a connection away for the moment; any other says what is wrong with how it was asked for. */
const turningAway = new Set(['57P01', '57P02', '57P03', '53300', '08001', '08006'])

/** What an error says that came instead of a connection: whatever passes is worth another attempt. */
export function connectFailure(error: unknown): Failure {
  const code = codeOf(error)
  // Postgres takes its Unix socket away while it restarts.
  if (code === 'ENOENT' && (error as { syscall?: unknown }).syscall === 'connect') return 'unconnected'
  if (code !== undefined && isState(code)) return turningAway.has(code) ? 'unconnected' : 'final'
  const failure = failureOf(error)
  return failure === 'lost' ? 'unconnected' : failure
}

/** What an error says that came for a statement on `client`. */
export function statementFailure(error: unknown, client?: unknown): Failure {
  if (endsConnection(error)) return 'lost'
  const failure = failureOf(error)
  // Nothing refuses a connection that there is.
  if (failure === 'unconnected' && codeOf(error) !== undefined) return 'lost'
  return failure === 'final' && !isRefusal(error) && isBroken(client) ? 'lost' : failure
}

/** As pg's own pool looks at it: errors of the network and of TLS are too many to list. */
function isBroken(client: unknown): boolean {
  const { _queryable, _ending } = (client ?? {}) as { readonly _queryable?: unknown; readonly _ending?: unknown }
  return _queryable === false || _ending === true
}

/** Whether Postgres itself says that the statement failed and the connection lives on. */
export function isRefusal(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && isState(code) && !endsConnection(error) && failureOf(error) !== 'lost'
}

/** Whether Postgres, or a pooler in front of it, hangs up with this error: whatever its SQLSTATE, it is no refusal. */
function endsConnection(error: unknown): boolean {
  const severity = (error as { severity?: unknown } | null | undefined)?.severity
  return typeof severity === 'string' && endingSeverity.test(severity)
}

/** A SQLSTATE, the system's code, or one of ours, which hold no values: a callback may throw a code of any text. */
export function knownCodeOf(error: unknown): string | undefined {
  const code = codeOf(error)
  if (code === undefined) return undefined
  return isState(code) || isSystemCode(code) || error instanceof PerformanceError ? code : undefined
}

/** Undefined where the error has none. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

function failureOf(error: unknown): Failure {
  const code = codeOf(error)
  if (code !== undefined) {
    const failure = states.get(code) ?? (isConnectionException(code, error) ? 'lost' : undefined)
    if (failure !== undefined) return failure
    if (networkCodes.has(code)) return 'lost'
    if (isState(code)) return 'final'
  }
  // A host of several addresses: none of them took the connection.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every(one => failureOf(one) === 'lost') ? 'lost' : 'final'
  }
  if (!(error instanceof Error)) return 'final'
  return messages.find(([start]) => error.message.startsWith(start))?.[1] ?? 'final'
}

/**
 * Class 08. Not where Postgres itself says so of a statement and goes on, as for a wrong number of parameters or of a server
 * behind it.
 */
function isConnectionException(code: string, error: unknown): boolean {
  const { routine } = error as { readonly routine?: unknown }
  return isState(code) && code.startsWith('08') && typeof routine !== 'string'
}

function isSystemCode(code: string): boolean {
  return Object.hasOwn(constants.errno, code) || networkCodes.has(code)
}

/** Each SQLSTATE of Postgres has a digit, and none of the system's codes of that length, such as EPIPE and EPERM. */
function isState(code: string): boolean {
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code)
}
