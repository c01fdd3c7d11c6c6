import { setImmediate as otherWork } from 'node:timers/promises'
import type { Attributes } from '@opentelemetry/api'
import { DataPointType, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { asClassic, classicOf, type ClassicHistogram } from './classic.js'
import { familyName, labelName, type Shape } from './prometheus-names.js'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** After so many points requests come first: thousands of points take a while. */
const POINTS_AT_A_TIME = 100

/**
 * Metrics in Prometheus' text format 0.0.4, under the names that they have there when they come through a Collector.
 * That format knows no exponential histograms; they become classic ones. The SDK's own serializer does not write these,
 * and takes so long for each line that requests would wait.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @param isWhole whether the resource is told too, as `target_info`
 */
export async function prometheusText({ resource, scopeMetrics }: ResourceMetrics, isWhole = false): Promise<string> {
  // Under the head of its family, which may be told in one place only.
  const families = new Map<string, Family>()
  if (isWhole) {
    const target = familyOf(families, 'target_info', 'gauge', 'What is measured.')
    tell(target, resource.attributes, labels => line('target_info', labels, 1))
  }
  for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
    const shape = shapeOf(metric)
    const name = familyName(metric.descriptor, shape)
    // Prometheus refuses it over OTLP too.
    if (name === '') continue
    const type = shape === 'upDownCounter' ? 'gauge' : shape
    const family = familyOf(families, name, type, metric.descriptor.description)
    if (family.type !== type) continue
    for (let from = 0; from < metric.dataPoints.length; from += POINTS_AT_A_TIME) {
      tellPoints(family, metric, from, from + POINTS_AT_A_TIME)
      await otherWork()
    }
  }
  return [...families.values()].flatMap(({ lines }) => lines).join('')
}

/** The metrics of one name. What comes to it later and is of another type is left out. */
interface Family {
  readonly name: string
  readonly type: string
  readonly lines: string[]
  /** The labels that it has a point of: another one of the same would make scrapers refuse all of it. */
  readonly told: Set<string>
}

function familyOf(families: Map<string, Family>, name: string, type: string, help: string): Family {
  const known = families.get(name)
  if (known !== undefined) return known
  const lines = [`# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`]
  const family = { name, type, lines, told: new Set<string>() }
  families.set(name, family)
  return family
}

function shapeOf(metric: MetricData): Shape {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
      return metric.isMonotonic ? 'counter' : 'upDownCounter'
    case DataPointType.GAUGE:
      return 'gauge'
    case DataPointType.HISTOGRAM:
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return 'histogram'
  }
}

function tellPoints(family: Family, metric: MetricData, from: number, end: number): void {
  const { name } = family
  switch (metric.dataPointType) {
    case DataPointType.SUM:
    case DataPointType.GAUGE:
      for (const { attributes, value } of metric.dataPoints.slice(from, end)) {
        tell(family, attributes, labels => line(name, labels, value))
      }
      break
    case DataPointType.HISTOGRAM:
      for (const { attributes, value } of metric.dataPoints.slice(from, end)) {
        tell(family, withoutLe(attributes), labels => histogram(name, labels, value, asClassic(value)))
      }
      break
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      for (const { attributes, value } of metric.dataPoints.slice(from, end)) {
        tell(family, withoutLe(attributes), labels => histogram(name, labels, value, classicOf(value)))
      }
  }
}

function tell({ lines, told }: Family, attributes: Attributes, textOf: (labels: string) => string): void {
  const labels = labelsOf(attributes)
  if (told.has(labels)) return
  told.add(labels)
  lines.push(textOf(labels))
}

/** The label of a bucket's bound cannot be the application's: twice in a line it would make scrapers refuse all of it. */
function withoutLe(attributes: Attributes): Attributes {
  const { le, ...others } = attributes
  return le === undefined ? attributes : { ...others, exported_le: le }
}

function histogram(
  name: string,
  labels: string,
  value: { readonly count: number; readonly sum?: number },
  { bounds, atMost }: ClassicHistogram
): string {
  const before = labels === '' ? '' : `${labels},`
  let text = ''
  for (const [index, count] of atMost.entries()) {
    text += line(`${name}_bucket`, `${before}le="${numberText(bounds[index] ?? Infinity)}"`, count)
  }
  if (value.sum !== undefined) text += line(`${name}_sum`, labels, value.sum)
  return text + line(`${name}_count`, labels, value.count)
}

function line(name: string, labels: string, value: number): string {
  return `${labels === '' ? name : `${name}{${labels}}`} ${numberText(value)}\n`
}

function numberText(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}

/**
 * Attributes whose names are the same there are one label, with the values of all.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
 */
function labelsOf(attributes: Attributes): string {
  const names = new Map<string, string[]>()
  for (const name of Object.keys(attributes)) {
    if (attributes[name] === undefined || name === '') continue
    const label = labelName(name)
    const same = names.get(label)
    if (same === undefined) names.set(label, [name])
    else same.push(name)
  }
  const labels: string[] = []
  for (const [label, same] of names) {
    const value =
      same.length === 1
        ? shown(attributes[same[0] ?? ''])
        : same
            .sort()
            .map(name => shown(attributes[name]))
            .join(';')
    labels.push(`${label}="${escaped(value).replaceAll('"', String.raw`\"`)}"`)
  }
  return labels.join(',')
}

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
}

function shown(value: Attributes[string]): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
