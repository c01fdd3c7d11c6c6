import type { Engine } from './arms.js'
import { addedBy, engineNames, ratioOf } from './report.js'
import type { ShapeName } from './shapes.js'
import type { Table } from './table.js'

export interface Target {
  readonly what: string
  /** Limits on Node 20 and on newer ones. */
  readonly must: readonly [number, number]
  readonly aim: number
  /** Whether more is better. */
  readonly atLeast?: boolean
  readonly unit?: string
  /** Of the tables of one Node; `key` is wall or CPU time. */
  readonly measure: Measure
  /** The same of the least that a way such as ours has to do, where there is such an arm. */
  readonly floor?: Measure
}

type Measure = (tables: readonly Table[], key: 'wall' | 'cpu') => Measured | undefined

export interface Measured {
  readonly value: number
  /** What else there is to say of it. */
  readonly remark?: string
}

const CALLS_OF_L = 1001

/** What ours has to keep. */
export const targets: readonly Target[] = [
  { what: 'L, graphql-js, in process: time', must: [1.35, 1.25], aim: 1.15, ...ratios('L', 'js') },
  { what: 'L, jit, in process: time', must: [3, 3], aim: 1.8, ...ratios('L', 'jit') },
  { what: 'M, jit, in process: time', must: [2.2, 2.2], aim: 1.5, ...ratios('M', 'jit') },
  { what: 'S, jit, in process: adds', must: [2, 2], aim: 1, unit: ' µs', ...additions('S', 1) },
  {
    what: 'HTTP, books shape, jit: requests a second',
    must: [0.9, 0.9],
    aim: 0.97,
    atLeast: true,
    ...ratios('HTTP', 'jit')
  },
  {
    what: 'HTTP, books shape, graphql-js: requests a second',
    must: [0.9, 0.9],
    aim: 0.97,
    atLeast: true,
    ...ratios('HTTP', 'js')
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
    ...additions('L', CALLS_OF_L)
  }
]

function tableOf(tables: readonly Table[], shape: ShapeName, engine: Engine): Table | undefined {
  return tables.find(table => table.shape === shape && table.engine === engine)
}

function ratios(shape: ShapeName, engine: Engine): Pick<Target, 'measure' | 'floor'> {
  return { measure: ratio(shape, engine, 'ours'), floor: ratio(shape, engine, 'floor') }
}

function ratio(shape: ShapeName, engine: Engine, name: string): Measure {
  return (tables, key) => {
    const table = tableOf(tables, shape, engine)
    return table && { value: ratioOf(table, name, key) }
  }
}

/** Microseconds that are added under jit, by `calls` an operation. */
function additions(shape: ShapeName, calls: number): Pick<Target, 'measure' | 'floor'> {
  const added =
    (name: string): Measure =>
    (tables, key) => {
      const table = tableOf(tables, shape, 'jit')
      return table && { value: addedBy(table, name, key) / calls }
    }
  return { measure: added('ours'), floor: added('floor') }
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
