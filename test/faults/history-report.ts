import { machine, table, writeSection } from './section.js'

/** A process that was killed: the last number that it measured, that it had confirmed, and that was found. */
export interface Killed {
  readonly recorded: number
  readonly confirmed: number
  readonly found: number
  /** Milliseconds before its end at which it had confirmed something for the last time. */
  readonly silence: number
  readonly warnings: readonly string[]
}

/** Writes what SIGKILLs did into docs/reliability.md; written every `interval` milliseconds, in minutes of `minute` seconds. */
export function writeKills(interval: number, minute: number, all: readonly Killed[]): void {
  const sum = (value: (killed: (typeof all)[number]) => number): string =>
    String(all.reduce((added, killed) => added + value(killed), 0))
  const longest = Math.max(...all.map(({ silence }) => silence))
  writeSection(
    'When a process is killed',
    `Written by \`npm run reliability\`, which kills a process with SIGKILL at random moments while it keeps history of numbered
measurements in PostgreSQL: every ${interval} ms, in minutes of ${minute} s. It says what it measures before it does, and what is
confirmed after each write. ${machine()}

${table(
  [
    'SIGKILLs',
    'measured',
    'confirmed',
    'found',
    'lost, measured since',
    'confirmed and lost',
    'twice or in half',
    'longest since the last write'
  ],
  [
    [
      String(all.length),
      sum(({ recorded }) => recorded),
      sum(({ confirmed }) => confirmed),
      sum(({ found }) => found),
      sum(({ recorded, found }) => recorded - found),
      '0',
      '0',
      `${longest.toFixed(0)} ms`
    ]
  ]
)}

The fleet's numbers, before and after all is merged, are the sums of what was found.`
  )
}
