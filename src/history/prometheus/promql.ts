import type { Attributes } from '@opentelemetry/api'
import { labelName } from '../../metrics/prometheus-names.js'

/** A stretch of time that is asked for, and how far back what was counted before it is looked for; milliseconds. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly base: number
}

/** The series of a metric that have all of these labels; what has none of a name is empty there. */
export function selector(metric: string, labels: Attributes, more = ''): string {
  const matchers = Object.entries(labels).map(([name, value]) => `${labelName(name)}=${quoted(String(value))}`)
  return `${metric}{${[...matchers, ...(more === '' ? [] : [more])].join(',')}}`
}

/** A matcher of a label that has one of these values. */
export function oneOf(label: string, values: readonly string[]): string {
  const alternatives = values.map(value => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return `${label}=~${quoted(alternatives.join('|'))}`
}

/** https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals */
export function quoted(text: string): string {
  const escaped = text.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)
  return `"${escaped.replaceAll('\n', String.raw`\n`)}"`
}

/** The raw samples in a stretch, as of its end. */
export function samplesIn(series: string, { from, to }: Stretch): string {
  return `${series}[${to - from}ms]`
}

/** The newest value before a stretch, as of its end. */
export function valueBefore(series: string, { from, to, base }: Stretch): string {
  return over('last_over_time', series, from - base, to - from)
}

/** Series that have begun anew within a stretch, as asked at `at`. */
export function restarted(series: string, { from, to, base }: Stretch, at: number): string {
  const until = over('resets', series, to - base, at - to)
  const before = over('resets', series, from - base, at - from)
  return `(${until} > ${orZero(before, until)})`
}

/** How many samples there are in a stretch of each series that has begun anew within it. */
export function restartedSamples(series: string, stretch: Stretch): string {
  const { from, to } = stretch
  return `${over('count_over_time', series, to - from, 0)} and ${restarted(series, stretch, to)}`
}

/**
 * By how much each series grew in a stretch, exactly, but for those that have begun anew in it: the last value less the
 * last one before it, or all of it where there was none. `increase` of PromQL extrapolates and leaves the first sample
 * of a series out. `within` is a stretch that series have to have begun anew in, so that each is counted once.
 */
export function growth(series: string, stretch: Stretch, within?: Stretch): string {
  const { from, to } = stretch
  const last = over('last_over_time', series, to - from, 0)
  const grown = `((${last} - ${orZero(valueBefore(series, stretch), last)}) unless ${restarted(series, stretch, to)})`
  return within === undefined ? grown : `(${grown} and ${restarted(series, within, to)})`
}

/** Each selector takes Prometheus a while, so that they stand in a question as seldom as can be. */
function orZero(value: string, instead: string): string {
  return `(${value} or ${instead} * 0)`
}

export function sumBy(attributes: readonly string[], expression: string): string {
  return `sum by (${attributes.map(labelName).join(', ')}) (${expression})`
}

function over(name: string, series: string, length: number, offset: number): string {
  return `${name}(${series}[${length}ms]${offset === 0 ? '' : ` offset ${offset}ms`})`
}
