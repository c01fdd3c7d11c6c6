import { connectFailure } from '../database/failure.js'
import { PerformanceError } from '../errors.js'
import { DEFAULT_URL_SETTING } from './settings.js'

/** The code of the error that says that others have been changing the tables for too long. */
export const TABLES_BUSY = 'TABLES_BUSY'

/** Stands for the setting that the address came from. */
const SETTING = DEFAULT_URL_SETTING

/** What is wrong with where history is kept and what to do, by the code of the system's or of Postgres' error. */
const problems = new Map<string, string>([
  [
    '42501',
    `the user of ${SETTING} lacks a privilege: grant it CREATE on the database, or make it a member of the role that owns the schema mercurius_performance`
  ],
  ['42P01', 'its tables are not there: they are made once history can be written there'],
  ['25006', 'the database is read-only: name one that can be written to'],
  ['53100', 'the disk of the database is full: make room'],
  ['53200', 'the database is out of memory'],
  ['53300', 'the database has no connection left: raise max_connections, or stop other clients'],
  ['57014', 'the database was too slow: it took longer than the time limit of a statement'],
  ['57P03', 'the database is starting or shutting down'],
  ['55P03', 'a lock was held by somebody else'],
  ['28P01', `the password in ${SETTING} is wrong: correct it`],
  ['28000', 'the database does not let this user in: correct the user, or allow it in pg_hba.conf'],
  ['3D000', `there is no such database: create it, or correct the name in ${SETTING}`],
  ['ECONNREFUSED', `nothing accepts connections there: start the database, or correct ${SETTING}`],
  ['ENOTFOUND', `there is no such host: correct ${SETTING}`],
  [TABLES_BUSY, 'other instances have been changing its tables for ten seconds: look at what they are doing'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up: check the network']
])

/** What pg's pool says instead of giving a connection, beside what `connectFailure` knows. */
const ofPool = ['timeout exceeded when trying to connect', 'Cannot use a pool after calling end on the pool']

/**
 * One line for the log and for `self.history`. Texts of errors may quote values, so only codes of unknown ones show.
 * `setting` is the one that the address stands in.
 */
export function problemOf(error: unknown, setting = SETTING): string {
  if (!(error instanceof Error)) return 'writing failed'
  if (isUnreadable(error))
    return 'stored rows cannot be read: they are damaged, or of a later version of this package; update it if they are'
  const code = codeOf(error)
  const known = code === undefined ? undefined : problems.get(code)
  if (known !== undefined) return `${naming(setting, known)} (${code ?? ''})`
  if (code !== undefined) return `the database answered ${code}`
  return isOfConnection(error) || isOfTime(error)
    ? 'the connection was lost or nothing answered in time: check that the database is there and not overloaded'
    : `it failed inside of this process with ${error instanceof PerformanceError ? error.code : error.name}`
}

/** What is said of the setting's default, of `setting`. */
export function naming(setting: string, problem: string): string {
  return problem.replaceAll(SETTING, setting)
}

/** Whether it says no more than that the database cannot be reached now. */
export function isOfConnection(error: unknown): boolean {
  if (isUnreadable(error) || isOfTime(error)) return false
  const code = codeOf(error)
  if (code !== undefined) return /^(?:08|57P|53300|E(?!RR_)[A-Z_]+$)/.test(code)
  const source = sourceOf(error)
  if (connectFailure(source) === 'unconnected') return true
  return source instanceof Error && ofPool.includes(source.message)
}

/** What is packed and cannot be unpacked ends too soon, or is none to zlib. */
function isUnreadable(error: unknown): boolean {
  return error instanceof RangeError || codeOf(error)?.startsWith('Z_') === true
}

/** Its time was over, and nothing had gone wrong before. */
function isOfTime(error: unknown): boolean {
  if (!(error instanceof PerformanceError) || error.cause !== undefined) return false
  return error.code === 'MPERF_DATABASE_DEADLINE' || error.code === 'MPERF_OUTCOME_UNKNOWN'
}

/** The code of what it came from that is none of this package's. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (sourceOf(error) ?? {}) as { readonly code?: unknown }
  return isForeign(code) ? code : undefined
}

/** What an error came from: the first that has a code of others, or else the last. */
function sourceOf(error: unknown): unknown {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown }
  return isForeign(code) || !(cause instanceof Error) ? error : sourceOf(cause)
}

function isForeign(code: unknown): code is string {
  return typeof code === 'string' && !code.startsWith('MPERF_')
}
