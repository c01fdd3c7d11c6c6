import type { MetricDescriptor } from '@opentelemetry/sdk-metrics'

/** What a unit is called at the end of a name; one that is not here goes by itself. */
const unitNames = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent']
])
/** The same behind a slash. */
const perUnitNames = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year']
])

/** What is measured, as far as the name of a metric depends on it. */
export type Shape = 'counter' | 'upDownCounter' | 'gauge' | 'histogram'

/**
 * What a metric is called in Prometheus when it comes there over OTLP, by way of a Collector or not. Both take the rules of
 * https://github.com/prometheus/otlptranslator: a name says its unit, unless it does so already, and a counter ends with
 * `total`. A gauge of the unit 1 is taken for a ratio. Empty where there is nothing in it that a name may have.
 */
export function familyName({ name, unit }: Pick<MetricDescriptor, 'name' | 'unit'>, shape: Shape): string {
  let words = name.split(/[^a-zA-Z0-9:]+/).filter(word => word !== '')
  for (const word of unitWords(unit)) if (!words.includes(word)) words.push(word)
  if (shape === 'counter') words = endingWith('total', words)
  if (shape === 'gauge' && unit === '1') words = endingWith('ratio', words)
  return words.join('_').replace(/^(?=\d)/, '_')
}

/** What a name says of the unit: `['bytes', 'per_second']` for `By/s`. */
function unitWords(unit: string): string[] {
  const [main = '', ...rest] = unit.split('/')
  const per = unitWord(rest.join('/'), perUnitNames).replace(/_$/, '')
  const of = unitWord(main, unitNames)
  if (per === '') return of === '' ? [] : [of]
  return [of.replace(/_$/, ''), `per_${per}`].filter(word => word !== '')
}

/** Empty for an annotation such as `{request}`, which is no unit. */
function unitWord(unit: string, names: ReadonlyMap<string, string>): string {
  const trimmed = unit.trim()
  if (/[{}]/.test(trimmed)) return ''
  return (names.get(trimmed) ?? trimmed).replaceAll(/[^a-zA-Z0-9:]+/g, '_').replace(/^_/, '')
}

function endingWith(last: string, words: readonly string[]): string[] {
  return [...words.filter(word => word !== last), last]
}

/**
 * The name of a label, with nothing in it but letters, digits and single underscores, as the Collector makes it by default
 * of what does not begin and end with two underscores: such names are Prometheus' own, and nobody may scrape them.
 */
export function labelName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9]+/g, '_').replace(/^(?:_|(?=\d))/, 'key_')
}
