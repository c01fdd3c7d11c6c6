import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface ReceivedPoint {
  readonly attributes: Record<string, unknown>
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
  readonly count?: number
  readonly sum?: number
  readonly scale?: number
  readonly zeroCount?: number
  readonly positive?: { readonly offset: number; readonly bucketCounts: readonly number[] }
  readonly asInt?: number
}

export interface ReceivedMetric {
  readonly scope: string
  readonly name: string
  readonly unit: string
  readonly kind: 'exponentialHistogram' | 'histogram' | 'sum' | 'gauge'
  /** 1 is delta, 2 is cumulative. */
  readonly temporality: number | undefined
  readonly isMonotonic: boolean | undefined
  readonly points: readonly ReceivedPoint[]
}

export interface Receiver {
  readonly endpoint: string
  /** The metrics of each request, in order. */
  readonly exports: ReceivedMetric[][]
  /** Paths that were posted to. */
  readonly paths: string[]
  readonly bodies: string[]
}

/** A receiver of OTLP over HTTP, JSON, as a Collector is one; what it answers with another status than 200 it has not got. */
export async function startReceiver(t: Test, statusOf: () => number = () => 200): Promise<Receiver> {
  const received = { exports: [] as ReceivedMetric[][], paths: [] as string[], bodies: [] as string[] }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const status = statusOf()
      if (status !== 200) {
        response.writeHead(status).end()
        return
      }
      received.paths.push(request.url ?? '')
      received.bodies.push(body)
      if (request.url === '/v1/metrics') received.exports.push(metricsIn(body))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { ...received, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** The newest points of the metric `name`, of whatever scope. */
export function newest({ exports }: Receiver, name: string): ReceivedMetric[] {
  return exports.at(-1)?.filter(metric => metric.name === name) ?? []
}

interface Data {
  readonly dataPoints: readonly (Omit<ReceivedPoint, 'attributes'> & { readonly attributes: readonly KeyValue[] })[]
  readonly aggregationTemporality?: number
  readonly isMonotonic?: boolean
}

interface KeyValue {
  readonly key: string
  readonly value: Record<string, unknown>
}

interface Message {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string }
      readonly metrics: readonly (Record<ReceivedMetric['kind'], Data | undefined> & Record<'name' | 'unit', string>)[]
    }[]
  }[]
}

const kinds = ['exponentialHistogram', 'histogram', 'sum', 'gauge'] as const

function metricsIn(body: string): ReceivedMetric[] {
  const { resourceMetrics } = JSON.parse(body) as Message
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.flatMap(metric =>
        kinds.flatMap(kind => {
          const data = metric[kind]
          if (data === undefined) return []
          const points = data.dataPoints.map(point => ({ ...point, attributes: attributesIn(point.attributes) }))
          const { aggregationTemporality: temporality, isMonotonic } = data
          return [{ scope: scope.name, name: metric.name, unit: metric.unit, kind, temporality, isMonotonic, points }]
        })
      )
    )
  )
}

function attributesIn(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
