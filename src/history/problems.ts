import { PerformanceError } from '../errors.js'

/** What is wrong with where history is kept and what to do, by the code of the system's or of Postgres' error. */
const problems = new Map<string, string>([
  [
    '42501',
    'the user of PERFORMANCE_HISTORY_URL lacks a privilege: grant it CREATE on the database, or make it a member of the role that owns the schema mercurius_performance'
  ],
  ['42P01', 'its tables are not there: they are made once history can be written there'],
  ['25006', 'the database is read-only: name one that can be written to'],
  ['53100', 'the disk of the database is full: make room'],
  ['53200', 'the database is out of memory'],
  ['53300', 'the database has no connection left: raise max_connections, or stop other clients'],
  ['57014', 'the database was too slow: it took longer than the time limit of a statement'],
  ['57P03', 'the database is starting or shutting down'],
  ['55P03', 'a lock was held by somebody else'],
  ['28P01', 'the password in PERFORMANCE_HISTORY_URL is wrong: correct it'],
  ['28000', 'the database does not let this user in: correct the user, or allow it in pg_hba.conf'],
  ['3D000', 'there is no such database: create it, or correct the name in PERFORMANCE_HISTORY_URL'],
  ['ECONNREFUSED', 'nothing accepts connections there: start the database, or correct PERFORMANCE_HISTORY_URL'],
  ['ENOTFOUND', 'there is no such host: correct PERFORMANCE_HISTORY_URL'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up: check the network']
])

/** One line for the log and for `self.history`. Texts of errors may quote values, so only codes of unknown ones show. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'writing failed'
  if (isUnreadable(error))
    return 'stored rows cannot be read: they are damaged, or of a later version of this package; update it if they are'
  const code = codeOf(error)
  const known = code === undefined ? undefined : problems.get(code)
  if (known !== undefined) return `${known} (${code ?? ''})`
  return code === undefined
    ? 'the connection was lost or nothing answered in time: check that the database is there and not overloaded'
    : `the database answered ${code}`
}

/** Whether it says no more than that the database cannot be reached now. */
export function isOfConnection(error: unknown): boolean {
  if (isUnreadable(error) || isOfTime(error)) return false
  const code = codeOf(error)
  return code === undefined || /^(?:08|57P|53300|E[A-Z]+$)/.test(code)
}

/** What is packed and cannot be unpacked ends too soon, or is none to zlib. */
function isUnreadable(error: unknown): boolean {
  return error instanceof RangeError || codeOf(error)?.startsWith('Z_') === true
}

/** Its time was over, and nothing had gone wrong before. */
function isOfTime(error: unknown): boolean {
  return error instanceof PerformanceError && error.code === 'MPERF_DATABASE_DEADLINE' && error.cause === undefined
}

export function codeOf(error: unknown): string | undefined {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown }
  if (typeof code === 'string' && !code.startsWith('MPERF_')) return code
  return cause instanceof Error ? codeOf(cause) : undefined
}
