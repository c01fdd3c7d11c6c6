import type { Arm, Engine } from './arms.js'
import { shapes } from './shapes.js'
import { mean, median, quantile } from './statistics.js'
import type { Subject } from './running.js'
import { isStartedMore, roundsOf, startsOf, type Row, type Table } from './table.js'

export const engineNames: Readonly<Record<Engine, string>> = { js: 'graphql-js', jit: 'graphql-jit' }

export function titleOf({ shape, engine, node, isLeftAlone }: Subject): string {
  return `${shape}, ${engineNames[engine]}, Node ${node.major}${isLeftAlone ? ', V8 left alone' : ''}`
}

/** The section of one table. */
export function sectionOf(table: Table): string {
  const { measured, milliseconds } = roundsOf(table.shape)
  const [all, more] = [startsOf(table, 'all'), startsOf(table, 'more')]
  const some = more > all && table.rows.some(({ arm }) => isStartedMore(arm, table)) ? `, ${more} for some` : ''
  const isHttp = table.shape === 'HTTP'
  const wall = isHttp ? 'requests a second' : 'µs an operation'
  return `### ${titleOf(table)}

${shapes[table.shape].about}; ${all} processes an arm${some}, ${measured} rounds of ${milliseconds} ms each.

| arm | ${wall} | quartiles | ratio | CPU, µs ${isHttp ? 'a request' : 'an operation'} | quartiles | ratio |
| --- | --- | --- | --- | --- | --- | --- |
${table.rows.map(row => lineOf(row, table)).join('\n')}
`
}

function lineOf(row: Row, table: Table): string {
  // Of the rounds that all arms were in, so that the rows compare.
  const rounds = Math.min(...table.rows.map(({ wall }) => wall.length))
  const times = row.wall.slice(0, rounds)
  const wall = table.shape === 'HTTP' ? times.map(time => 1e6 / time) : times
  const cells = [
    // It would look better than it is.
    row.arm.exporting !== undefined && row.exported === 0 ? `${row.arm.title} (exported nothing)` : row.arm.title,
    ...spread(wall),
    ratioOf(table, row.arm.name, 'wall').toFixed(2),
    ...spread(row.cpu.slice(0, rounds)),
    ratioOf(table, row.arm.name, 'cpu').toFixed(2)
  ]
  return `| ${cells.join(' | ')} |`
}

function spread(values: readonly number[]): [string, string] {
  return [figure(median(values)), `${figure(quantile(values, 0.25))} - ${figure(quantile(values, 0.75))}`]
}

/**
 * How an arm compares with its base, as the median over the rounds, each by itself: of times, or over HTTP of requests a
 * second; `cpu` is always of times. NaN where the table has no such arm.
 */
export function ratioOf(table: Table, name: string, key: 'wall' | 'cpu'): number {
  const isRate = table.shape === 'HTTP' && key === 'wall'
  return comparison(table, name, key, (time, base) => (isRate ? base / time : time / base))
}

/** Microseconds an operation that an arm adds to its base. */
export function addedBy(table: Table, name: string, key: 'wall' | 'cpu'): number {
  return comparison(table, name, key, (time, base) => time - base)
}

/** The base of an arm, and the base once more where that is run, unless the arm is that itself. */
function basesOf({ rows }: Table, { name, base }: Arm): Row[] {
  return rows.filter(({ arm }) => arm.name === base || (arm.again === base && arm.name !== name))
}

function comparison(
  table: Table,
  name: string,
  key: 'wall' | 'cpu',
  compare: (time: number, base: number) => number
): number {
  const row = table.rows.find(({ arm }) => arm.name === name)
  if (row === undefined) return NaN
  const bases = basesOf(table, row.arm)
  return median(row[key].map((time, round) => compare(time, mean(bases.map(base => base[key][round] ?? NaN)))))
}

export function figure(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0)
}
