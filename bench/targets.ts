import type { Engine } from './arms.js'
import { addedBy, engineNames, ratioOf } from './report.js'
import type { ShapeName } from './shapes.js'
import type { Table } from './table.js'

interface Target {
  readonly what: string
  /** Limits on Node 20 and on newer ones. */
  readonly must: readonly [number, number]
  readonly aim: number
  /** Whether more is better. */
  readonly atLeast?: boolean
  readonly unit?: string
  /** Of the tables of one Node; `key` is wall or CPU time. */
  readonly measure: (tables: readonly Table[], key: 'wall' | 'cpu') => Measured | undefined
}

interface Measured {
  readonly value: number
  /** What else there is to say of it. */
  readonly remark?: string
}

const CALLS_OF_L = 1001

const targets: readonly Target[] = [
  { what: 'L, graphql-js, in process: time', must: [1.35, 1.25], aim: 1.15, measure: ratio('L', 'js', 'ours') },
  { what: 'L, jit, in process: time', must: [3, 3], aim: 1.8, measure: ratio('L', 'jit', 'ours') },
  { what: 'M, jit, in process: time', must: [2.2, 2.2], aim: 1.5, measure: ratio('M', 'jit', 'ours') },
  { what: 'S, jit, in process: adds', must: [2, 2], aim: 1, unit: ' µs', measure: added('S', 1) },
  {
    what: 'HTTP, books shape, jit: requests a second',
    must: [0.9, 0.9],
    aim: 0.97,
    atLeast: true,
    measure: ratio('HTTP', 'jit', 'ours')
  },
  {
    what: 'HTTP, books shape, graphql-js: requests a second',
    must: [0.9, 0.9],
    aim: 0.97,
    atLeast: true,
    measure: ratio('HTTP', 'js', 'ours')
  },
  { what: 'L, exported 100%, graphql-js: time', must: [2.5, 2.5], aim: 1.8, measure: ratio('L', 'js', 'ours-100') },
  {
    what: '`PERFORMANCE_ENABLED=false`, all shapes in process together: time',
    must: [1.02, 1.02],
    aim: 1,
    measure: off
  },
  {
    what: 'added per resolver call, jit (L)',
    must: [0.45, 0.45],
    aim: 0.2,
    unit: ' µs',
    measure: added('L', CALLS_OF_L)
  }
]

/** The section that holds what was promised against what was measured. */
export function targetsOf(tables: readonly Table[]): string {
  const majors = [...new Set(tables.map(({ node }) => node.major))]
  const lines = targets.map(target => {
    const { what, must, aim, atLeast = false, unit = '' } = target
    const sign = atLeast ? '≥' : '≤'
    const limits = must[0] === must[1] ? String(must[0]) : must.join(' / ')
    const cells = majors.map(major =>
      cellOf(
        target,
        tables.filter(({ node }) => node.major === major),
        major
      )
    )
    return `| ${[what, `${sign} ${limits}${unit}`, `${aim}${unit}`, ...cells].join(' | ')} |`
  })
  return `## What it promises

Ratios to bare and bare once more, together, in the same run; nothing exported unless said otherwise, SQL attribution on.
Wall time decides; beside it stands the same of CPU time (for requests a second, the ratio of CPU time a request). Garbage
collection has the settings that "How it was measured" names; the tables "V8 left alone" are without them.

| | must, Node 20 / 24 | aim | ${majors.map(major => `Node ${major}`).join(' | ')} |
| --- | --- | --- | ${majors.map(() => '---').join(' | ')} |
${lines.join('\n')}
`
}

function cellOf(
  { must, atLeast = false, unit = '', measure }: Target,
  tables: readonly Table[],
  major: number
): string {
  const wall = measure(tables, 'wall')
  const cpu = measure(tables, 'cpu')
  if (wall === undefined || cpu === undefined || Number.isNaN(wall.value)) return 'not run'
  const limit = must[major < 24 ? 0 : 1]
  const kept = atLeast ? wall.value >= limit : wall.value <= limit
  const remark = wall.remark === undefined ? '' : `; ${wall.remark}`
  return `${wall.value.toFixed(3)}${unit}, CPU ${cpu.value.toFixed(3)}${unit}: ${kept ? 'kept' : '**not kept**'}${remark}`
}

function tableOf(tables: readonly Table[], shape: ShapeName, engine: Engine): Table | undefined {
  return tables.find(table => table.shape === shape && table.engine === engine)
}

function ratio(shape: ShapeName, engine: Engine, name: string): Target['measure'] {
  return (tables, key) => {
    const table = tableOf(tables, shape, engine)
    return table && { value: ratioOf(table, name, key) }
  }
}

/** Microseconds that ours adds under jit, by `calls` an operation. */
function added(shape: ShapeName, calls: number): Target['measure'] {
  return (tables, key) => {
    const table = tableOf(tables, shape, 'jit')
    return table && { value: addedBy(table, 'ours', key) / calls }
  }
}

/**
 * Next to nothing of ours runs there, so that the tables differ by little but the luck of processes, and the worst of six
 * is a draw of lots. Beside it stands what the same luck makes of bare against itself.
 */
function off(tables: readonly Table[], key: 'wall' | 'cpu'): Measured {
  const switchedOff = together(tables, 'ours-off', key)
  const control = together(tables, 'bare-again', key)
  const itself = Number.isNaN(control.mean) ? '' : `; bare against itself ${control.mean.toFixed(3)}, ${control.worst}`
  return { value: switchedOff.mean, remark: `${switchedOff.worst}${itself}` }
}

/** The ratios of an arm in all tables of operations in process: their geometric mean, and the worst of them. */
function together(tables: readonly Table[], name: string, key: 'wall' | 'cpu'): { mean: number; worst: string } {
  const ratios = tables
    .filter(({ shape }) => shape !== 'HTTP')
    .map(table => ({ value: ratioOf(table, name, key), table }))
    .sort((one, other) => other.value - one.value)
  const mean = Math.exp(ratios.reduce((sum, { value }) => sum + Math.log(value), 0) / ratios.length)
  const [worst] = ratios
  if (worst === undefined) return { mean, worst: 'nothing run' }
  const { shape, engine } = worst.table
  return { mean, worst: `at worst ${worst.value.toFixed(3)} (${shape}, ${engineNames[engine]})` }
}
