import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { MINUTES } from '../../src/history/postgres/tables.js'
import { median } from '../statistics.js'
import { SimulatedFleet } from './fleet.js'
import { timeFlushes } from './flush.js'
import { SERIES } from './load.js'
import { startMeasuredServer } from './server.js'

const INSTANCES = [1, 10, 50, 100]
const PARTS_OF_HOUR = [10, 30, 60]
const QUESTIONS = 9

interface Row {
  readonly instances: number
  readonly minutes: number
  readonly bytes: { readonly minutes: number; readonly merged: number }
  readonly merging: number
  readonly one: number
  readonly all: number
}

const rows: Row[] = []
const lockProblems: string[] = []
let hourTook = 0
for (const instances of INSTANCES) {
  const server = await startMeasuredServer()
  const fleet = new SimulatedFleet(server.postgres.url)
  await fleet.begin(instances)
  const merging: number[] = []
  for (let minute = 1; minute <= 60; minute += 1) {
    const at = fleet.hour - minute * MINUTES.width
    await fleet.write(at)
    merging.push(await fleet.merge(at))
    const bytes = await fleet.bytes()
    if (minute === 60) hourTook = await fleet.addHours(23)
    if (!PARTS_OF_HOUR.includes(minute) || (instances !== 100 && minute !== 60)) continue
    const asked = []
    for (let question = 0; question < QUESTIONS; question += 1) asked.push(await fleet.ask())
    rows.push({
      instances,
      minutes: minute,
      bytes,
      merging: median(merging),
      one: median(asked.map(({ one }) => one)),
      all: median(asked.map(({ all }) => all))
    })
    console.log(rows.at(-1))
  }
  lockProblems.push(...server.lockProblems())
  await fleet.database.close()
  await server.close()
}
const server = await startMeasuredServer()
const flush = await timeFlushes(server.postgres.url)
lockProblems.push(...server.lockProblems())
await server.close()

const full = rows.at(-1)
const bytes = (row: Row): string =>
  ((row.bytes.minutes + row.bytes.merged) / (row.instances * row.minutes * SERIES)).toFixed(1)
const kept = (isKept: boolean): string => (isKept ? 'kept' : '**not kept**')
const text = `# What history costs

Written by \`npm run bench:history\` on ${new Date().toISOString().slice(0, 10)}; do not edit. Node ${process.version},
${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), PostgreSQL on the same machine, fsync on.

| | must | |
| --- | --- | --- |
| a flush of 2,000 series | ≤ 250 ms | ${flush.median.toFixed(0)} ms, at most ${flush.most.toFixed(0)} ms: ${kept(flush.most <= 250)} |
| the first of a process, which names them | | ${flush.first.toFixed(0)} ms |
| bytes on disk of a series and minute, 100 instances | ≤ 150 | ${full === undefined ? '' : bytes(full)}: ${kept(full !== undefined && Number(bytes(full)) <= 150)} |
| p95 of a resolver over 24 h, 100 instances | ≤ 1 s | ${((full?.one ?? NaN) / 1000).toFixed(3)} s: ${kept((full?.one ?? NaN) <= 1000)} |
| the list of all resolvers over 24 h, 100 instances | | ${((full?.all ?? NaN) / 1000).toFixed(3)} s |
| deadlocks, and waits for a lock of over 100 ms, in PostgreSQL's log | 0 | ${lockProblems.length}: ${kept(lockProblems.length === 0)} |

A flush is timed in a process that does nothing else: it lets requests come first after every 100 series, so that it takes
longer in a busy one. One that ends a minute sends: ${flush.statements.map(statement => `\`${statement}\``).join(', ')}.

## Growth

Instances of ${SERIES} series each; calls a minute spread log-uniformly from 1 to 1,000 over the series, times lognormally
(σ 0.7) around medians from 50 µs to 50 ms. Each minute of each instance is written by itself and merged as instances do
it. The questions are about the last 24 hours; medians of ${QUESTIONS}. Before the hour is full its minutes are all there is; after
that 23 hours are there too, with a row for each minute of each instance.

| instances | minutes | written by instances, MiB | merged of it, MiB | bytes of a series and minute | merging a minute | p95 of a resolver | all resolvers |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map(line).join('\n')}

Merging an hour of 60 minutes took ${hourTook.toFixed(0)} ms. One instance merges for all.
`
writeFileSync('docs/benchmarks-history.md', text)
console.log(text)

function line(row: Row): string {
  const mebibytes = (size: number): string => (size / 2 ** 20).toFixed(1)
  const cells = [
    row.instances,
    row.minutes,
    mebibytes(row.bytes.minutes),
    mebibytes(row.bytes.merged),
    bytes(row),
    `${row.merging.toFixed(0)} ms`,
    `${row.one.toFixed(0)} ms`,
    `${row.all.toFixed(0)} ms`
  ]
  return `| ${cells.join(' | ')} |`
}
