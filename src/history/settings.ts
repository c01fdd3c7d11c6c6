import { hostname } from 'node:os'
import type { Environment } from '../config.js'
import { isConnectionUrl } from '../database/connection-url.js'
import { PerformanceError } from '../errors.js'
import { readBoolean, readSeconds, shown } from '../lib/parse.js'
import { boundedName } from '../lib/text.js'

const HOUR = 3600
const DAY = 24 * HOUR
const NAME_LIMIT = 128
/** The setting that is there for nothing but where history is kept. */
export const DEFAULT_URL_SETTING = 'PERFORMANCE_HISTORY_URL'

/** What can be given to the plugin; the environment fills what it leaves out. */
export interface HistoryOptions {
  /** `postgres://...`, where to keep it, or `prometheus+http://...`, where to read it. Default: the application's. */
  readonly url?: string
  /** What this process is called among those of its service. Default: the host's name. */
  readonly instance?: string
}

/** How long what is kept, in seconds. */
export interface HistoryRetention {
  readonly minutes: number
  readonly hours: number
  readonly days: number
}

export interface HistorySettings {
  readonly url: string
  /** The setting that the URL stands in. Default: `PERFORMANCE_HISTORY_URL`. */
  readonly urlSetting?: string
  readonly instance: string
  readonly service: string
  /** Of the service, where it has one. */
  readonly namespace?: string
  /** Of the service. */
  readonly version: string | null
  readonly retention: HistoryRetention
}

/**
 * What the environment and the plugin's options say of history; undefined where it is off. `databaseUrl` is the
 * application's database.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID naming what was seen and what is right; no message shows a password
 */
export function historySettings(
  environment: Environment,
  given: boolean | HistoryOptions | null | undefined,
  databaseUrl?: string | null
): HistorySettings | undefined {
  const options = checkedOptions(given)
  if (!isOn(environment, given)) return undefined
  const attributes = resourceAttributes(environment.OTEL_RESOURCE_ATTRIBUTES ?? '')
  const namespace = attributes.get('service.namespace')
  const instance =
    options.instance ?? attributes.get('service.instance.id') ?? textOf(environment.PERFORMANCE_INSTANCE) ?? hostname()
  const { url, urlSetting } = urlOf({
    'history.url': options.url,
    [DEFAULT_URL_SETTING]: textOf(environment.PERFORMANCE_HISTORY_URL),
    databaseUrl: checkedString('databaseUrl', databaseUrl),
    DATABASE_URL: textOf(environment.DATABASE_URL)
  })
  const service = textOf(environment.OTEL_SERVICE_NAME) ?? attributes.get('service.name')
  if (service === undefined && isPrometheus({ url })) {
    throw invalid('OTEL_SERVICE_NAME', 'not set', 'the name that the service exports its metrics under')
  }
  return {
    url,
    urlSetting,
    instance: boundedName(instance, NAME_LIMIT),
    service: boundedName(service ?? 'unknown_service', NAME_LIMIT),
    ...(namespace !== undefined && { namespace }),
    version: attributes.get('service.version') ?? textOf(environment.npm_package_version) ?? null,
    retention: retentionOf(textOf(environment.PERFORMANCE_HISTORY_RETENTION) ?? '24h,30d,400d')
  }
}

/** Whether it is where history is only read from. */
export function isPrometheus({ url }: Pick<HistorySettings, 'url'>): boolean {
  return /^prometheus\+/i.test(url)
}

/** What JavaScript may give in its place; null is nothing given. */
function checkedOptions(given: unknown): HistoryOptions {
  if (given === null || given === undefined || typeof given === 'boolean') return {}
  if (typeof given !== 'object') {
    throw invalid('history', `a ${typeof given}`, 'true, false or an object such as { url, instance }')
  }
  const { url, instance } = given as { readonly url?: unknown; readonly instance?: unknown }
  return { ...checked('url', url), ...checked('instance', instance) }
}

function checked(key: keyof HistoryOptions, value: unknown): HistoryOptions {
  const text = checkedString(`history.${key}`, value)
  return text === undefined ? {} : { [key]: text }
}

function checkedString(name: string, value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'string') throw invalid(name, `a ${typeof value}`, 'a string')
  return value
}

function isOn(environment: Environment, given: boolean | HistoryOptions | null | undefined): boolean {
  if (typeof given === 'boolean') return given
  if (given !== null && given !== undefined) return true
  const text = textOf(environment.PERFORMANCE_HISTORY)
  const isWanted = text === undefined ? false : readBoolean(text)
  if (isWanted !== undefined) return isWanted
  const isAddress = text?.includes('://') === true
  // With its password.
  if (isAddress) throw invalid('PERFORMANCE_HISTORY', 'a URL', `on or off; the URL belongs in ${DEFAULT_URL_SETTING}`)
  throw invalid('PERFORMANCE_HISTORY', shown(text), 'on or off')
}

/** The first that is set of what settings say, by their names. */
function urlOf(
  settings: Readonly<Record<string, string | undefined>>
): Required<Pick<HistorySettings, 'url' | 'urlSetting'>> {
  const expected = 'postgres://user:password@host:5432/database, or prometheus+http://host:9090 to read only'
  const [name, url] = Object.entries(settings).find(([, setting]) => setting !== undefined) ?? []
  if (name === undefined || url === undefined) {
    throw invalid(DEFAULT_URL_SETTING, 'not set, and neither is DATABASE_URL', expected)
  }
  const scheme = /^([a-z+]+):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme !== undefined && ['postgres', 'postgresql', 'prometheus+http', 'prometheus+https'].includes(scheme)) {
    if (isConnectionUrl(url)) return { url, urlSetting: name }
    throw invalid(name, 'no valid URL', `${expected}, with special characters in the password percent-encoded`)
  }
  throw invalid(name, scheme === undefined ? 'no URL' : `one of ${scheme}://`, expected)
}

const bounds = { minutes: [HOUR, 7 * DAY], hours: [DAY, 400 * DAY], days: [2 * DAY, 3650 * DAY] } as const

function retentionOf(text: string): HistoryRetention {
  const [minutes = NaN, hours = NaN, days = NaN, ...more] = text.split(',').map(part => readSeconds(part.trim()) ?? NaN)
  const retention = { minutes, hours, days }
  const areRight = (Object.keys(bounds) as (keyof typeof bounds)[]).every(
    tier => retention[tier] >= bounds[tier][0] && retention[tier] <= bounds[tier][1]
  )
  if (areRight && more.length === 0 && minutes <= hours && hours <= days) return retention
  throw invalid(
    'PERFORMANCE_HISTORY_RETENTION',
    shown(text),
    'how long minutes (1h to 7d), hours (1d to 400d) and days (2d to 3650d) are kept, none shorter than the one before, such as 24h,30d,400d'
  )
}

/** https://opentelemetry.io/docs/specs/otel/resource/sdk/: `key=value` with commas between them, percent-encoded. */
function resourceAttributes(text: string): Map<string, string> {
  const pairs = text.split(',').map(pair => pair.split('=', 2).map(part => part.trim()))
  return new Map(pairs.flatMap(([key = '', value = '']) => (key === '' || value === '' ? [] : [[key, decoded(value)]])))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function textOf(value: string | undefined): string | undefined {
  const text = value?.trim() ?? ''
  return text === '' ? undefined : text
}

function invalid(name: string, seen: string, expected: string): PerformanceError {
  return new PerformanceError('MPERF_CONFIG_INVALID', `${name} is ${seen}: expected ${expected}`)
}
