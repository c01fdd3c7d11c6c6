import type { MetricDescriptor } from '@opentelemetry/sdk-metrics'

/** What a unit is called at the end of a name, as the Collector calls it. */
const unitNames = new Map([
  ['s', '_seconds'],
  ['ms', '_milliseconds'],
  ['By', '_bytes']
])

/** What a metric is called in Prometheus when it comes there over OTLP, by way of a Collector or not. */
export function familyName({ name, unit }: Pick<MetricDescriptor, 'name' | 'unit'>, isCounter: boolean): string {
  return `${labelName(name)}${unitNames.get(unit) ?? ''}${isCounter ? '_total' : ''}`
}

/** A name with nothing in it but letters, digits and single underscores, as the Collector makes it. */
export function labelName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9]+/g, '_').replace(/^(?=\d)/, '_')
}
