import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { root } from '../node.js'

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
  readonly account: {
    readonly ended: number
    readonly exported: number
    readonly dropped: number
    readonly failed: number
    readonly notSampled: number
  }
}

export interface StopRow {
  readonly fault: string
  readonly seconds: number
  readonly unsent: number
}

interface Load {
  readonly rate: number
  readonly seconds: number
  readonly rounds: number
}

/** Writes docs/reliability.md anew. */
export function writeReport(load: Load, rows: readonly Row[], stops: readonly StopRow[]): void {
  writeFileSync(join(root, 'docs/reliability.md'), reportOf(load, rows, stops))
}

function reportOf({ rate, seconds, rounds }: Load, rows: readonly Row[], stops: readonly StopRow[]): string {
  return `# What it does when the collector fails

Written by \`npm run reliability\` (test/faults), which breaks the connection between the Tracker and a receiver of OTLP
with a TCP proxy of its own. Node ${process.version}, ${cpus().length} cores, load generator and receiver on the same machine.

Load: ${rate} requests a second over HTTP (\`{ labels { id name } }\`, graphql-js), every operation exported. Each fault lasts
${seconds} s, ${rounds} times, with healthy times before and after it; the percentiles are medians of those. The same test runs
shorter in \`.ci/run\` and asserts everything here but the p99.

${table(
  [
    'fault',
    'requests',
    'failed',
    'p99 healthy',
    'p99 in the fault',
    'ratio',
    'memory',
    'log lines a minute',
    'exporting again'
  ],
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
)}

Every span is accounted for, in \`_performanceMetrics { self { export } }\`: ended = exported + dropped + failed + not sampled.

${table(
  ['fault', 'ended', 'exported', 'dropped', 'failed', 'not sampled'],
  rows.map(({ fault, account: { ended, exported, dropped, failed, notSampled } }) => [
    fault,
    ...[ended, exported, dropped, failed, notSampled].map(String)
  ])
)}

SIGTERM under that load, while the collector is dead: the Tracker ends with status 0 and logs how many spans were not sent.

${table(
  ['fault', 'ended after', 'spans not sent'],
  stops.map(({ fault, seconds: took, unsent }) => [fault, `${took.toFixed(1)} s`, String(unsent)])
)}
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map(row => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
