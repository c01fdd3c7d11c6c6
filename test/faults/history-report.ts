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

export interface Outage {
  readonly fault: string
  /** Milliseconds from when Postgres accepted again, or ended connections, until all instances wrote again. */
  readonly recovery: number
  /** Connections that were ended; 0 for all. */
  readonly felt: number
  /** Lines in the log of the instance that wrote most. */
  readonly warnings: number
}

/** Writes what outages of Postgres did into docs/reliability.md. */
export function writeOutages(
  instances: number,
  measured: number,
  connections: number,
  most: number,
  faults: readonly string[],
  outages: readonly Outage[]
): void {
  writeSection(
    "When history's database goes away",
    `Written by \`npm run reliability\`: ${instances} instances keep history of numbered measurements in PostgreSQL, ${measured} of them
while it goes away ${outages.length} times. ${machine()}

${table(
  ['fault', 'times', 'writing again, longest', 'lines in a log, most'],
  faults.map(fault => {
    const found = outages.filter(outage => outage.fault === fault)
    const recovery = Math.max(...found.map(outage => outage.recovery))
    const lines = Math.max(...found.map(({ warnings }) => warnings))
    return [fault, String(found.length), `${recovery.toFixed(0)} ms`, String(lines)]
  })
)}

The fleet's numbers are those of the test's ledger, merged and not merged: 0 lost, 0 twice. Connections: ${connections} at most,
of ${most} allowed. Errors that nobody caught: 0.`
  )
}

/** Writes what became of flushes whose COMMIT nobody heard the answer to into docs/reliability.md. */
export function writeCommits(rows: readonly (readonly string[])[]): void {
  writeSection(
    "When the answer to history's COMMIT is lost",
    `Written by \`npm run reliability\`: a proxy cuts the connection at the COMMIT of a flush, before it arrives or once PostgreSQL
has answered. Each time what the tables hold is compared with all that was measured. ${machine()}

${table(['cut', 'flushes', 'repeated at once', 'repeated later', 'measurements lost', 'measurements twice'], rows)}`
  )
}
