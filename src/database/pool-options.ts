import type { PoolConfig } from 'pg'
import { PerformanceError } from '../errors.js'
import { shown } from '../lib/parse.js'
import { maskConnectionString } from './connection-url.js'

/** The options of `pg.Pool`, such as `ssl` and `application_name`, and those of the retry policy. */
export interface CreatePoolOptions extends PoolConfig {
  /** `postgres://user:password@host:5432/database`. Default: what pg reads from `PGHOST` and the like. */
  readonly connectionString?: string
  /** The most connections held at once; who needs one more waits. Default: 10. */
  readonly max?: number
  /** What the pool is called in `_performanceMetrics { pool }`, at most 128 characters. Default: `default`. */
  readonly name?: string
  /**
   * Seconds within which a query or transaction has an answer or an error, waiting for a connection and retries
   * included; up to a day. Default: 2.
   */
  readonly deadline?: number
  /** Milliseconds that making a connection, or waiting for one, may take; 0 for any. Default: 2000. */
  readonly connectionTimeoutMillis?: number
  /** Milliseconds after which Postgres cancels a statement; 0 for never. Default: 5000. */
  readonly statement_timeout?: number
  /** Milliseconds after which Postgres ends a connection that waits inside a transaction; 0 for never. Default: 10000. */
  readonly idle_in_transaction_session_timeout?: number
}

const defaults = {
  max: 10,
  name: 'default',
  deadline: 2,
  connectionTimeoutMillis: 2_000,
  statement_timeout: 5_000,
  idle_in_transaction_session_timeout: 10_000
} satisfies CreatePoolOptions

type Checked = keyof typeof defaults

const MOST_CONNECTIONS = 10_000
const LONGEST_NAME = 128
const LONGEST_DEADLINE = 86_400
const LONGEST_LIMIT = 2 ** 31 - 1

interface Rule {
  readonly allows: (value: unknown) => boolean
  readonly expected: string
}

const milliseconds: Rule = {
  allows: value => isWhole(value) && value >= 0 && value <= LONGEST_LIMIT,
  expected: 'whole milliseconds, or 0 for no limit'
}

const rules: Readonly<Record<Checked, Rule>> = {
  max: {
    allows: value => isWhole(value) && value >= 1 && value <= MOST_CONNECTIONS,
    expected: `a whole number from 1 to ${MOST_CONNECTIONS}`
  },
  name: {
    allows: value => typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME,
    expected: `1 to ${LONGEST_NAME} characters`
  },
  deadline: {
    allows: isDeadline,
    expected: `seconds above 0 and up to ${LONGEST_DEADLINE}, such as 2`
  },
  connectionTimeoutMillis: milliseconds,
  statement_timeout: milliseconds,
  idle_in_transaction_session_timeout: milliseconds
}

export type ResolvedPoolOptions = CreatePoolOptions & Required<Pick<CreatePoolOptions, Checked>>

/**
 * The options with the defaults of what is left out or undefined.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID naming every bad option, its value and what is right
 */
export function resolvePoolOptions(given: CreatePoolOptions): ResolvedPoolOptions {
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const { password } = given
  // pg hides the password in the options of a pool, which may be given here.
  const options = { ...defaults, ...present, ...(password !== undefined && { password }) } as ResolvedPoolOptions
  const problems = (Object.keys(rules) as Checked[])
    .filter(key => !rules[key].allows(options[key]))
    .map(key => `createPool: ${key} is ${shown(options[key])}: expected ${rules[key].expected}`)
  const url: unknown = options.connectionString
  if (url !== undefined && (typeof url !== 'string' || url.trim() === '')) {
    problems.push(
      `createPool: connectionString is ${typeof url === 'string' ? JSON.stringify(maskConnectionString(url)) : shown(url)}: ` +
        'expected postgres://user:password@host:5432/database'
    )
  }
  if (problems.length > 0) throw new PerformanceError('MPERF_CONFIG_INVALID', problems.join('; '))
  return options
}

/**
 * The deadline of one call in milliseconds.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID
 */
export function deadlineOf(seconds: number): number {
  if (isDeadline(seconds)) return seconds * 1_000
  throw new PerformanceError(
    'MPERF_CONFIG_INVALID',
    `deadline is ${shown(seconds)}: expected ${rules.deadline.expected}`
  )
}

function isDeadline(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= LONGEST_DEADLINE
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value)
}
