import { MEBIBYTE } from '../heap.js'
import type { Window } from './load.js'
import { machine, table, writeSection } from './section.js'

/** A window of load and what was left after it. */
export interface Minute extends Window {
  /** Operations, resolver calls, SQL and others. */
  readonly spans: number
  /** Bytes of the heap and of buffers, after garbage collection. */
  readonly bytes: number
  /** Open sockets, servers, pipes and the like. */
  readonly handles: number
  /** Share of one core that the monitor's own work took in the last ten seconds, as it says itself. */
  readonly overhead: number
  readonly storeBytes: number
}

interface Soak {
  /** Requests a second. */
  readonly rate: number
  /** Of a window. */
  readonly seconds: number
  readonly retention: number
  /** Bytes an hour by which the heap grows, and the store in it. */
  readonly slope: number
  readonly storeSlope: number
}

/** By how much values grow from one to the next: the slope of the line that fits them best. */
export function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const average = values.reduce((sum, value) => sum + value, 0) / values.length
  const covariance = values.reduce((sum, value, index) => sum + (index - middle) * (value - average), 0)
  return covariance / values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
}

const EVERY = 10

/** Writes how an hour of load went into docs/reliability.md. */
export function writeSoak({ rate, seconds, retention, slope, storeSlope }: Soak, minutes: readonly Minute[]): void {
  const mebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(3)
  const spans = minutes.reduce((sum, minute) => sum + minute.spans, 0)
  const rates = minutes.map(({ requests }) => requests / seconds).sort((a, b) => a - b)
  const [lowest = NaN, highest = NaN] = [rates[0], rates.at(-1)].map(each => Math.round(each ?? NaN))
  const rows = minutes
    .map((minute, index) => ({ ...minute, number: index + 1 }))
    .filter(({ number }) => number === 1 || number % EVERY === 0)
    .map(({ number, requests, cpu, p99, memory, bytes, storeBytes, handles, overhead }) => [
      String(number),
      String(requests),
      `${cpu.toFixed(0)} µs`,
      `${p99.toFixed(2)} ms`,
      `${memory.toFixed(0)} MiB`,
      `${mebibytes(bytes)} MiB`,
      `${mebibytes(storeBytes)} MiB`,
      String(handles),
      `${(overhead * 100).toFixed(1)}%`
    ])
  writeSection(
    'Under a load that goes on',
    `Written by \`npm run reliability\`: ${rate} requests a second over HTTP wanted, ${lowest} to ${highest} of them reached, one in a hundred exported, for
${minutes.length} times ${seconds} s. That is ${Math.round(spans / (minutes.length * seconds))} spans a second in the mean: operations, resolver calls, SQL on a real Postgres. The retention is ${retention} s, and the load has gone
on for as long before the first row. History is off. "Heap" is what is left of it and of buffers after garbage collection;
"monitor" is the share of one core that \`self { overhead }\` tells of, without garbage collection. ${machine()}

${table(['minute', 'requests', 'CPU a request', 'p99', 'memory', 'heap', 'store', 'open handles', 'monitor'], rows)}

No request failed and no span was dropped. By the line that fits all ${minutes.length} windows best the heap grows by ${mebibytes(slope)} MiB an hour (at
most 1), the store in it by ${mebibytes(storeSlope)} MiB.`
  )
}
