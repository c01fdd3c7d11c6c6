import pg from 'pg'
import { isConnectionUrl, maskConnectionString } from './connection-url.js'
import { driverProblem, type DriverProblem } from './driver-messages.js'
import { statementFailure, type Failure } from './failure.js'
import { SetupError } from './setup-error.js'

const CONNECT_TIMEOUT_MILLISECONDS = 5_000
const EXAMPLE = 'postgres://user:password@localhost:5432/database'

/** What is wrong and what to do, by the code of the system's or of Postgres' error. */
const problems: Readonly<Record<string, string>> = {
  ERR_INVALID_URL: `it is no valid URL; expected ${EXAMPLE}, with special characters in the password percent-encoded`,
  ECONNREFUSED: 'nothing accepts connections there; start Postgres, or correct host and port',
  ENOTFOUND: 'there is no such host; correct the host name',
  EAI_AGAIN: 'the host name cannot be looked up; correct it, or check the network',
  ETIMEDOUT: 'nothing answered in time; check that host and port are those of Postgres and not behind a firewall',
  EHOSTUNREACH: 'the host cannot be reached; check the network, or correct the host',
  ENETUNREACH: 'the network cannot be reached; check it, or correct the host',
  ECONNRESET: 'the connection was cut; check that host and port are those of Postgres',
  ENOENT: 'a file or socket that it names does not exist; correct the path',
  EACCES: 'a file or socket that it names may not be opened; correct its permissions or the path',
  '28P01': 'the password is wrong; correct it',
  '28000': 'Postgres does not let this user in; correct the user, or allow it in pg_hba.conf',
  '3D000': 'there is no such database; create it with createdb, or correct the name',
  '42501': 'the user lacks a privilege that setting up the tables needs; grant it CREATE on the schema',
  '53300': 'Postgres has no connection left; raise max_connections or stop other clients',
  '57P03': 'Postgres is still starting or shutting down; try again in a moment',
  '25006': 'the database is read-only; name one that can be written to',
  '53100': 'the disk of the database is full; make room',
  '53200': 'Postgres is out of memory; give it more, or stop other clients',
  '57014': 'it was cancelled, by somebody or since it took too long; raise statement_timeout, or try again',
  '55P03':
    'somebody else has held a lock that it needs for a minute, such as another instance that sets up the tables; look at what that is doing'
}

const LOST = 'the connection was lost; try again'

/** What did not fail by itself. */
const passing: Readonly<Partial<Record<Failure, string>>> = {
  lost: LOST,
  unconnected: LOST,
  'rolled back': 'others were at the same rows or tables; try again'
}

/** Errors of the driver that have no code. */
const ofDriver: Readonly<Record<DriverProblem, string>> = {
  silent: 'something accepts connections there but does not answer like Postgres',
  'no password': 'Postgres asks for a password and it has none; add one',
  'no TLS': 'Postgres does not speak TLS there; remove sslmode, or set it to disable',
  'not Postgres': 'what answers there is not Postgres; correct the port'
}

/** Why the connection string cannot be used, as one line; or undefined where Postgres answers at it. */
export async function findConnectionProblem(value: string): Promise<string | undefined> {
  const syntax = syntaxProblem(value)
  if (syntax !== undefined) return line(value, syntax)
  try {
    const client = new pg.Client({ connectionString: value, connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS })
    client.on('error', () => undefined)
    await client.connect()
    await client.end()
    return undefined
  } catch (error) {
    return describeConnectionError(value, error)
  }
}

/** One line naming DATABASE_URL, its value without the password, what is wrong with it and what to do. */
export function describeConnectionError(value: string, error: unknown): string {
  return line(value, syntaxProblem(value) ?? errorProblem(error))
}

function line(value: string, problem: string): string {
  return `DATABASE_URL is ${JSON.stringify(maskConnectionString(value))}: ${problem}`
}

function syntaxProblem(value: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase()
  if (value.trim() === '') return `it is empty; expected ${EXAMPLE}, or unset it`
  if (scheme === undefined) return `it does not start with postgres://; expected ${EXAMPLE}`
  if (!['postgres', 'postgresql'].includes(scheme)) return `its scheme is ${scheme}; expected ${EXAMPLE}`
  return isConnectionUrl(value) ? undefined : problems.ERR_INVALID_URL
}

function errorProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'connecting failed'
  if (error instanceof SetupError) {
    const problem = setupProblem(error)
    return problem === undefined ? error.message : `${error.message}: ${problem}`
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const known = code === undefined ? undefined : problems[code]
  const driver = driverProblem(error)
  // The text of an unknown error may quote the connection string, so only its code is shown.
  return known ?? (driver && ofDriver[driver]) ?? `connecting failed with ${code ?? error.name}; check every part of it`
}

/** Postgres answered before, so that it is not the address that is wrong. Undefined where the code is all that is known. */
function setupProblem({ cause, code }: SetupError): string | undefined {
  const known = passing[statementFailure(cause)] ?? (code === undefined ? undefined : problems[code])
  if (known !== undefined) return known
  const areOthers = code === undefined ? isOfChecksum(cause) : /^(?:42|23)/.test(code)
  // Whoever followed that for any other cause would give up tables that are right.
  return areOthers
    ? 'the tables there are not those that it expects; restore them, or name an empty database'
    : undefined
}

/** What Postgrator throws where a migration is not the one that ran. */
function isOfChecksum(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MD5 checksum failed')
}
