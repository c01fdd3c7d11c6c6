import { PerformanceError } from '../../errors.js'
import { Turns } from '../../lib/turns.js'
import { amountOf, NOTHING, type Amount, type JsonHistogram } from './amounts.js'
import { DEFAULT_URL_SETTING } from '../settings.js'
import { PrometheusError } from './problems.js'
import { untraced } from '../untraced.js'

/** What a series had or became at one time. */
export interface PrometheusSample {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly amount: Amount
}

export type Labels = Readonly<Record<string, string>>

export interface PrometheusSeries {
  readonly labels: Labels
  /** In the order of time. */
  readonly samples: readonly PrometheusSample[]
}

/** So many requests at once: one question may be divided into many, each with an answer that is held. */
const AT_ONCE = 4
const TIME_LIMIT = 10_000
const SIZE_LIMIT = 64 * 1024 * 1024

type JsonSample<Value> = readonly [seconds: number, value: Value]

interface JsonSeries {
  readonly metric: Labels
  readonly value?: JsonSample<string>
  readonly values?: readonly JsonSample<string>[]
  readonly histogram?: JsonSample<JsonHistogram>
  readonly histograms?: readonly JsonSample<JsonHistogram>[]
}

/** Asks the HTTP API of Prometheus, or of what speaks like it, in PromQL. */
export class PrometheusClient {
  readonly #api: string
  readonly #headers: Record<string, string>
  readonly #turns = new Turns(AT_ONCE)

  /**
   * @param url `prometheus+http://...` or `prometheus+https://...`, with user and password where they are needed
   * @param urlSetting where the URL stands
   * @throws PerformanceError MPERF_CONFIG_INVALID; its message does not quote the URL
   */
  constructor(url: string, urlSetting = DEFAULT_URL_SETTING) {
    const { origin, pathname, username, password } = parsed(url, urlSetting)
    this.#api = `${origin}${pathname.replace(/\/+$/, '')}/api/v1/`
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.#headers = credentials === ':' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  }

  /** All questions that are asked with it have to be answered in ten seconds. */
  limit(): AbortSignal {
    return AbortSignal.timeout(TIME_LIMIT)
  }

  /**
   * The answer as of `at`, in milliseconds since 1970.
   *
   * @throws PrometheusError, or what fetch throws
   */
  instant(query: string, at: number, limit: AbortSignal): Promise<PrometheusSeries[]> {
    return this.#ask('query', { query, time: seconds(at) }, limit)
  }

  /** The answers as of `from`, `from + step` and so on up to `to`, in milliseconds. */
  range(query: string, from: number, to: number, step: number, limit: AbortSignal): Promise<PrometheusSeries[]> {
    return this.#ask('query_range', { query, start: seconds(from), end: seconds(to), step: seconds(step) }, limit)
  }

  #ask(path: string, form: Record<string, string>, signal: AbortSignal): Promise<PrometheusSeries[]> {
    return this.#turns.take(() => this.#answer(path, form, signal))
  }

  #answer(path: string, form: Record<string, string>, signal: AbortSignal): Promise<PrometheusSeries[]> {
    return untraced(async () => {
      const body = new URLSearchParams({ ...form, timeout: `${TIME_LIMIT}ms` })
      const response = await fetch(`${this.#api}${path}`, { method: 'POST', headers: this.#headers, body, signal })
      if (!response.ok) {
        await response.body?.cancel()
        throw new PrometheusError(String(response.status))
      }
      return seriesIn(await textOf(response))
    })
  }
}

function parsed(url: string, urlSetting: string): URL {
  try {
    const found = new URL(url.replace(/^prometheus\+/i, ''))
    decodeURIComponent(found.username + found.password)
    return found
  } catch {
    throw new PerformanceError(
      'MPERF_CONFIG_INVALID',
      `${urlSetting} is no URL: expected prometheus+http://user:password@host:9090/prefix, ` +
        'with user, password and prefix where they are needed'
    )
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length
    // Leaving the loop ends the response.
    if (size > SIZE_LIMIT) throw new PrometheusError('TOO_LARGE')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function seriesIn(text: string): PrometheusSeries[] {
  try {
    const { data } = JSON.parse(text) as { readonly data: { readonly result: readonly JsonSeries[] } }
    return data.result.map(({ metric, value, values = [], histogram, histograms = [] }) => ({
      labels: metric,
      samples: [
        ...[...values, ...(value === undefined ? [] : [value])].map(([time, number]) => ({
          at: milliseconds(time),
          amount: { ...NOTHING, count: Number(number) }
        })),
        ...[...histograms, ...(histogram === undefined ? [] : [histogram])].map(([time, found]) => ({
          at: milliseconds(time),
          amount: amountOf(found)
        }))
      ]
    }))
  } catch {
    throw new PrometheusError('FOREIGN')
  }
}

function milliseconds(time: number): number {
  return Math.round(time * 1000)
}
