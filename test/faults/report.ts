import type { ExportReport } from '../../src/spans/export/account.js'
import type { Window } from './load.js'
import { machine, table, writeSection } from './section.js'

export interface Row {
  readonly fault: string
  /** While the fault lasted. */
  readonly requests: number
  readonly failed: number
  /** Milliseconds. */
  readonly p99: { readonly healthy: number; readonly faulty: number }
  /** MiB of resident memory, at most. */
  readonly growth: number
  readonly lines: number
  /** Seconds. */
  readonly recovery: number
  readonly account: ExportReport
}

export interface StopRow {
  readonly fault: string
  readonly seconds: number
  readonly unsent: number
}

export interface ThrowingRow {
  readonly engine: string
  readonly requests: number
  readonly failed: number
  /** How often the monitor threw, and how many faults it counted. */
  readonly thrown: number
  readonly counted: number
  /** Lines of the log. */
  readonly lines: number
}

interface Load {
  readonly rate: number
  readonly seconds: number
}

/** Writes what each fault did into docs/reliability.md. */
export function writeFaults(load: Load, rows: readonly Row[], stops: readonly StopRow[]): void {
  writeSection(
    'When the collector fails',
    `Written by \`npm run reliability\`, which breaks the connection between the Tracker and a receiver of OTLP with a TCP proxy of
its own. ${machine()}

Load: ${load.rate} requests a second over HTTP (\`{ labels { id name } }\`, graphql-js), every operation exported. Each fault lasts
${load.seconds} s; "healthy" is the time before it, failed requests are those before, in and after it, memory is compared with that
before. The same test runs shorter in \`.ci/run\` and asserts everything here but the p99 and the memory.

${faultTable(rows)}

Every span is accounted for, in \`_performanceMetrics { self { export } }\`: ended = exported + dropped + failed + not sampled.

${accountTable(rows)}

SIGTERM under that load, while the collector is dead: the Tracker ends with status 0 and logs how many spans were not sent.

${table(
  ['fault', 'ended after', 'spans not sent'],
  stops.map(({ fault, seconds, unsent }) => [fault, `${seconds.toFixed(1)} s`, String(unsent)])
)}`
  )
}

/** Writes how a steady load went into docs/reliability.md; `off` is the same Tracker that measures nothing. */
export function writeSteady(load: Load, off: readonly Window[], windows: readonly Window[]): void {
  const row = (name: string, { requests, cpu, p50, p99, memory }: Window): string[] => [
    name,
    String(requests),
    `${cpu.toFixed(0)} µs`,
    `${p50.toFixed(2)} ms`,
    `${p99.toFixed(2)} ms`,
    `${memory.toFixed(0)} MiB`
  ]
  const minutes = windows.map((window, index) => row(`measuring, ${index + 1}`, window))
  const nothing = off.map((window, index) => row(`off, ${index === 0 ? 'before' : 'after'}`, window))
  writeSection(
    'Under a steady load',
    `${load.rate} requests a second over HTTP, one in a hundred exported, ${windows.length} times ${load.seconds} s one after the
other; the rows "off" are a Tracker with \`PERFORMANCE_ENABLED=false\`. ${machine()}

${table(
  ['', 'requests', 'CPU a request', 'p50', 'p99', 'memory'],
  [...nothing.slice(0, 1), ...minutes, ...nothing.slice(1)]
)}`
  )
}

/** Writes what came of a monitor that throws whenever it records anything into docs/reliability.md. */
export function writeThrowing(seconds: number, rows: readonly ThrowingRow[]): void {
  writeSection(
    'When the monitor itself fails',
    `Written by \`npm run reliability\`: whatever the monitor of a Tracker keeps its measurements in throws, each time, for ${seconds} s of
requests, one after the other, each exported. ${machine()}

${table(
  ['', 'requests', 'failed', 'faults', 'counted', 'log lines'],
  rows.map(({ engine, requests, failed, thrown, counted, lines }) => [
    engine,
    ...[requests, failed, thrown, counted, lines].map(String)
  ])
)}

The spans that leave are those of a Tracker without faults, for every request: names, attributes, outcomes and which is
inside which. After a hundred faults in a row measuring is off for a minute; the log has one line a minute at most.`
  )
}

function faultTable(rows: readonly Row[]): string {
  const head = [
    'requests',
    'failed',
    'p99 healthy',
    'p99 in it',
    'ratio',
    'memory',
    'log lines a minute',
    'exporting again'
  ]
  return table(
    ['fault', ...head],
    rows.map(({ fault, requests, failed, p99, growth, lines, recovery }) => [
      fault,
      String(requests),
      String(failed),
      `${p99.healthy.toFixed(2)} ms`,
      `${p99.faulty.toFixed(2)} ms`,
      (p99.faulty / p99.healthy).toFixed(2),
      `${growth >= 0 ? '+' : ''}${growth.toFixed(0)} MiB`,
      String(lines),
      `after ${recovery.toFixed(1)} s`
    ])
  )
}

function accountTable(rows: readonly Row[]): string {
  return table(
    ['fault', 'ended', 'exported', 'dropped', 'failed', 'not sampled'],
    rows.map(({ fault, account: { ended, exported, dropped, failed, notSampled } }) => [
      fault,
      ...[ended, exported, dropped, failed, notSampled].map(String)
    ])
  )
}
