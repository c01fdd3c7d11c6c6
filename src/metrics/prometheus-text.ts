import { setImmediate as otherWork } from 'node:timers/promises'
import type { Attributes } from '@opentelemetry/api'
import { DataPointType, type DataPoint, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
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
  // Line by line under the head of its family, which may be told in one place only.
  const families = new Map<string, string[]>()
  if (isWhole) {
    const lines = linesOf(families, 'target_info', 'gauge', 'What is measured.')
    lines.push(line('target_info', labelsOf(resource.attributes), 1))
  }
  for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
    const { name, type } = familyOf(metric)
    const lines = linesOf(families, name, type, metric.descriptor.description)
    for (let from = 0; from < metric.dataPoints.length; from += POINTS_AT_A_TIME) {
      lines.push(...pointsOf(metric, name, from, from + POINTS_AT_A_TIME))
      await otherWork()
    }
  }
  return [...families.values()].flat().join('')
}

function familyOf(metric: MetricData): { name: string; type: string } {
  const shape = shapeOf(metric)
  return { name: familyName(metric.descriptor, shape), type: shape === 'upDownCounter' ? 'gauge' : shape }
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

function linesOf(families: Map<string, string[]>, name: string, type: string, help: string): string[] {
  const lines = families.get(name) ?? [`# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`]
  families.set(name, lines)
  return lines
}

function pointsOf(metric: MetricData, name: string, from: number, end: number): string[] {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
    case DataPointType.GAUGE:
      return metric.dataPoints.slice(from, end).map(({ attributes, value }) => line(name, labelsOf(attributes), value))
    case DataPointType.HISTOGRAM:
      return metric.dataPoints.slice(from, end).map(point => histogram(name, point, asClassic(point.value)))
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return metric.dataPoints.slice(from, end).map(point => histogram(name, point, classicOf(point.value)))
  }
}

function histogram(
  name: string,
  { attributes, value }: DataPoint<{ count: number; sum?: number }>,
  { bounds, atMost }: ClassicHistogram
): string {
  const labels = labelsOf(attributes)
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
    if (attributes[name] === undefined) continue
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
