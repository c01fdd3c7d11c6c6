import type { Histogram } from 'node:perf_hooks'

export interface LoadCounts {
  readonly requests: number
  readonly seconds: number
  /** Microseconds. */
  readonly latency: Histogram
  /** Requests without an answer: refused, cut or timed out. */
  readonly errors: number
  readonly non2xx: number
  /** Answers that carry GraphQL errors. */
  readonly graphqlErrors: number
}

export function progressLine(seconds: number, latency: Histogram): string {
  const rate = seconds > 0 ? latency.count / seconds : 0
  return `${seconds.toFixed(0).padStart(4)} s  ${latency.count} answers  ${rate.toFixed(0)}/s  p50 ${percentile(latency, 50)}`
}

export function resultTable({ requests, seconds, latency, errors, non2xx, graphqlErrors }: LoadCounts): string {
  const rows = [
    ['requests', String(requests)],
    ['requests/s', (requests / seconds).toFixed(1)],
    ['latency p50', percentile(latency, 50)],
    ['latency p95', percentile(latency, 95)],
    ['latency p99', percentile(latency, 99)],
    ['errors', String(errors)],
    ['non-2xx', String(non2xx)],
    ['GraphQL errors', String(graphqlErrors)]
  ] as const
  const width = Math.max(...rows.map(([, value]) => value.length))
  return rows.map(([name, value]) => `${name.padEnd(16)}${value.padStart(width)}`).join('\n')
}

function percentile(latency: Histogram, rank: number): string {
  return latency.count === 0 ? '-' : `${(latency.percentile(rank) / 1_000).toFixed(1)} ms`
}
