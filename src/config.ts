import { PerformanceError } from './errors.js'
import { readBoolean, readCount, readSeconds, readShare, shown } from './lib/parse.js'

/** What can be changed while the process runs, with `configure()`. */
export interface PerformanceConfig {
  /** Off: resolvers and queries run as if nothing were installed. */
  readonly enabled: boolean
  /** Whether the `_performance` field answers. */
  readonly includeInResponse: boolean
  /** Log every resolver, query and cache call at info, not only slow ones at warn. */
  readonly logAllMetrics: boolean
  /** Seconds that a measurement is remembered; 0 keeps everything. At most 30 days. */
  readonly retentionPeriod: number
  /** Seconds from which a query is slow. */
  readonly slowQueryThreshold: number
  /** Seconds from which a resolver is slow. */
  readonly slowResolverThreshold: number
  /** Seconds from which an operation is slow. */
  readonly slowOperationThreshold: number
  /** Resolver calls of one operation that are exported as spans; the others are counted on the operation's span. */
  readonly maxResolverSpans: number
  /** Operations a minute that are exported although they were not sampled, because they were slow or failed; 0: none. */
  readonly slowTracesPerMinute: number
  /** Where a trace can be looked at, `{traceId}` standing for its id; empty: nowhere. */
  readonly traceUrl: string
  /**
   * Share of one core that measuring may take, above 0 and up to 1; 0 sets no bound. Above it less is measured, until
   * the load falls: first SQL is no longer attributed to resolvers, then only a part of the resolver calls is timed.
   */
  readonly overheadBudget: number
}

/** A change to the configuration: unknown keys, null and undefined in it are ignored. */
export type ConfigPatch = {
  readonly [Key in keyof PerformanceConfig]?: PerformanceConfig[Key] | null | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

interface Option<Value> {
  /** The environment variable that sets it. */
  readonly variable: string
  readonly fallback: Value
  readonly inProduction: Value
  /** The value that the text of the variable means; undefined when it means none. */
  readonly read: (text: string) => Value | undefined
  readonly allows: (value: unknown) => boolean
  /** What is right, for the message. */
  readonly expected: string
}

const MAXIMUM_RETENTION = 30 * 24 * 3600
const MAXIMUM_THRESHOLD = 24 * 3600
const MAXIMUM_SPANS = 100_000

const flag = { read: readBoolean, allows: isBoolean, expected: 'true or false' }
const threshold = {
  read: readSeconds,
  allows: (value: unknown) => isNumber(value) && value >= 0 && value <= MAXIMUM_THRESHOLD,
  expected: `seconds from 0 to ${MAXIMUM_THRESHOLD}, such as 0.5`
}
const count = {
  read: readCount,
  allows: (value: unknown) => isNumber(value) && Number.isInteger(value) && value >= 0 && value <= MAXIMUM_SPANS,
  expected: `a whole number from 0 to ${MAXIMUM_SPANS}`
}
const retention = {
  read: readSeconds,
  allows: (value: unknown) => isNumber(value) && (value === 0 || (value >= 1 && value <= MAXIMUM_RETENTION)),
  expected: `seconds from 1 to ${MAXIMUM_RETENTION} (in the environment also 90s, 15m, 1h), or 0 to keep everything`
}

const MAXIMUM_URL = 1024
const template = {
  read: (text: string) => text,
  allows: (value: unknown) => value === '' || (typeof value === 'string' && isTraceUrl(value)),
  expected: 'a URL with {traceId} in it, such as http://localhost:16686/trace/{traceId}'
}

const share = {
  read: readShare,
  allows: (value: unknown) => isNumber(value) && value >= 0 && value <= 1,
  expected: 'a share of one core up to 1, such as 0.05 (in the environment also 5%), or 0 for no budget'
}

/** Every option once: its variable, its defaults, what it accepts. */
export const options = {
  enabled: { variable: 'PERFORMANCE_ENABLED', fallback: true, inProduction: true, ...flag },
  includeInResponse: { variable: 'PERFORMANCE_INCLUDE_IN_RESPONSE', fallback: true, inProduction: false, ...flag },
  logAllMetrics: { variable: 'PERFORMANCE_LOG_ALL_METRICS', fallback: true, inProduction: false, ...flag },
  retentionPeriod: { variable: 'PERFORMANCE_RETENTION_PERIOD', fallback: 3600, inProduction: 3600, ...retention },
  slowQueryThreshold: {
    variable: 'PERFORMANCE_SLOW_QUERY_THRESHOLD',
    fallback: 0.5,
    inProduction: 0.5,
    ...threshold
  },
  slowResolverThreshold: {
    variable: 'PERFORMANCE_SLOW_RESOLVER_THRESHOLD',
    fallback: 1,
    inProduction: 1,
    ...threshold
  },
  slowOperationThreshold: {
    variable: 'PERFORMANCE_SLOW_OPERATION_THRESHOLD',
    fallback: 1,
    inProduction: 1,
    ...threshold
  },
  maxResolverSpans: { variable: 'PERFORMANCE_MAX_RESOLVER_SPANS', fallback: 1000, inProduction: 1000, ...count },
  slowTracesPerMinute: { variable: 'PERFORMANCE_SLOW_TRACES_PER_MINUTE', fallback: 60, inProduction: 60, ...count },
  traceUrl: { variable: 'PERFORMANCE_TRACE_URL', fallback: '', inProduction: '', ...template },
  overheadBudget: { variable: 'PERFORMANCE_OVERHEAD_BUDGET', fallback: 0, inProduction: 0, ...share }
} satisfies { readonly [Key in keyof PerformanceConfig]: Option<PerformanceConfig[Key]> }

const keys = Object.keys(options) as (keyof PerformanceConfig)[]

/** Whether the process runs in production, where the closed defaults hold. */
export function isProduction(environment: Environment): boolean {
  return environment.NODE_ENV === 'production'
}

/**
 * The configuration that the environment and `given` options make; options win over variables, variables over defaults.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID naming every bad value, what was seen and what is right
 */
export function resolveConfig(environment: Environment, given: ConfigPatch = {}): PerformanceConfig {
  const defaultOf = isProduction(environment) ? 'inProduction' : 'fallback'
  const defaults = Object.fromEntries(keys.map(key => [key, options[key][defaultOf]])) as unknown as PerformanceConfig
  const seen = keys.map(key => {
    const { variable, read } = options[key]
    const text = environment[variable]?.trim() ?? ''
    return { key, label: variable, text, value: text === '' ? undefined : (read(text) ?? text) }
  })
  return patchConfig(laidOver(defaults, seen), given)
}

/**
 * `config` with the known, non-null keys of `patch` laid over it. `config` itself is untouched, also on error.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID
 */
export function patchConfig(config: PerformanceConfig, patch: ConfigPatch | null | undefined): PerformanceConfig {
  const seen = keys.map(key => ({
    key,
    label: key,
    value: patch && Object.hasOwn(patch, key) ? patch[key] : undefined
  }))
  return laidOver(config, seen)
}

interface Seen {
  readonly key: keyof PerformanceConfig
  readonly label: string
  readonly value: unknown
  /** How the value was written, where it was text. */
  readonly text?: string
}

function laidOver(base: PerformanceConfig, seen: readonly Seen[]): PerformanceConfig {
  const present = seen.filter(({ value }) => value !== undefined && value !== null)
  const problems = present
    .filter(({ key, value }) => !options[key].allows(value))
    .map(({ key, label, value, text }) => `${label} is ${shown(text ?? value)}: expected ${options[key].expected}`)
  if (problems.length > 0) throw new PerformanceError('MPERF_CONFIG_INVALID', problems.join('; '))
  return { ...base, ...Object.fromEntries(present.map(({ key, value }) => [key, value])) }
}

/** Pages link to it, so no other scheme will do. */
function isTraceUrl(value: string): boolean {
  const sample = value.replaceAll('{traceId}', '0'.repeat(32))
  return (
    value.length <= MAXIMUM_URL &&
    sample !== value &&
    URL.canParse(sample) &&
    /^https?:$/.test(new URL(sample).protocol)
  )
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
