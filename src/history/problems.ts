import { driverProblem, type DriverProblem } from '../database/driver-messages.js'
import { connectFailure } from '../database/failure.js'
import { PerformanceError } from '../errors.js'
import { DEFAULT_URL_SETTING } from './settings.js'

/** The code of the error that says that others have been changing the tables for too long. */
export const TABLES_BUSY = 'TABLES_BUSY'

/** Stands for the setting that the address came from. */
const SETTING = DEFAULT_URL_SETTING

const CUT = `the connection was cut: if it goes on, check that host and port in ${SETTING} are those of Postgres`

/** What is wrong with where history is kept and what to do, by the code of the system's or of Postgres' error. */
const problems = new Map<string, string>([
  [
    '42501',
    `the user of ${SETTING} lacks a privilege: grant it CREATE on the database or, where the schema mercurius_performance is there, USAGE and CREATE on that, or make it a member of the role that owns the schema mercurius_performance`
  ],
  [
    '42P01',
    'tables of it are missing: where all are, they are made; where some are, restore them, or drop the schema mercurius_performance so that it is made anew'
  ],
  ['42883', 'it lacks a function of Postgres: 15 or newer is needed'],
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
  ['ECONNRESET', CUT],
  ['EPIPE', CUT],
  ['ETIMEDOUT', `nothing answered in time: check host and port in ${SETTING}, and that no firewall is in between`],
  ['EHOSTUNREACH', `the host cannot be reached: check the network, or correct ${SETTING}`],
  ['ENETUNREACH', 'the network cannot be reached: check it'],
  [
    'ENOENT',
    `a file or socket does not exist that ${SETTING} names: start the database, whose socket goes while it is down, or correct the path`
  ],
  ['EACCES', `a file or socket may not be opened that ${SETTING} names: correct its permissions or the path`],
  ['CERT_HAS_EXPIRED', 'the certificate of the database has expired: renew it'],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    `the certificate of the database is for another host: correct that in ${SETTING}, or the certificate`
  ],
  ['ENOTFOUND', `there is no such host: correct ${SETTING}`],
  [TABLES_BUSY, 'other instances have been changing its tables for ten seconds: look at what they are doing'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up: check the network']
])

/** What pg says without a code. A connection that broke, or a time that was over, may be a matter of the moment. */
const ofDriver = new Map<DriverProblem | undefined, string>([
  ['no password', `Postgres asks for a password: add one to ${SETTING}`],
  ['no TLS', `Postgres does not speak TLS there: remove sslmode from ${SETTING}, or set it to disable`]
])

const CERTIFICATE = /CERT|SIGNATURE/
const UNTRUSTED = `the certificate of the database is not trusted: add sslrootcert=<file of its authority> to ${SETTING}, or name that file in NODE_EXTRA_CA_CERTS`

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
  if (code !== undefined) return naming(setting, problemOfCode(code))
  const source = sourceOf(error)
  const known = source instanceof Error ? ofDriver.get(driverProblem(source)) : undefined
  if (known !== undefined) return naming(setting, known)
  return isOfConnection(error) || isOfTime(error)
    ? 'the connection was lost or nothing answered in time: check that the database is there and not overloaded'
    : `it failed inside of this process with ${error instanceof PerformanceError ? error.code : error.name}`
}

function problemOfCode(code: string): string {
  if (code.startsWith('ERR_SSL_')) return `TLS failed with ${code}: check sslmode and the certificates in ${SETTING}`
  const known = problems.get(code) ?? (CERTIFICATE.test(code) ? UNTRUSTED : undefined)
  if (known !== undefined) return `${known} (${code})`
  if (code.startsWith('ERR_')) return `it failed inside of this process with ${code}`
  return SQLSTATE.test(code) ? `the database answered ${code}` : `connecting failed with ${code}: check ${SETTING}`
}

const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/

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
export function isUnreadable(error: unknown): boolean {
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
