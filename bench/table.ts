import { Child, pathOf } from './child.js'
import type { Arm } from './arms.js'
import { startService, type Subject } from './running.js'
import { shapes, type ShapeName } from './shapes.js'

interface Rounds {
  /** How often an arm gets a new process: what V8 makes of the same code differs from one process to the next. */
  readonly starts: number
  /** The same for those that get one more often. */
  readonly moreStarts: number
  /** Rounds of a process before those that count: by then what V8 compiles, graphql-jit's code too, is compiled. */
  readonly warmUp: number
  readonly measured: number
  readonly milliseconds: number
}

const IN_PROCESS: Rounds = { starts: 3, moreStarts: 8, warmUp: 10, measured: 7, milliseconds: 80 }
// With graphql-js V8 compiles most of what a request takes only after two seconds of them.
const OVER_HTTP: Rounds = { starts: 2, moreStarts: 6, warmUp: 12, measured: 5, milliseconds: 400 }

export interface Row {
  readonly arm: Arm
  /** Microseconds an operation, of every round; over HTTP, the time of the run by the requests answered. */
  readonly wall: readonly number[]
  readonly cpu: readonly number[]
  /** Bodies that came to where it exports to. */
  readonly exported: number
}

interface GrowingRow extends Row {
  readonly wall: number[]
  readonly cpu: number[]
  exported: number
}

export interface Table extends Subject {
  readonly rows: readonly Row[]
}

/**
 * Runs all arms in turn, round by round, each in a process of its own, so that a slower minute slows all of them. When all
 * have had their processes, those that get more go on among themselves.
 */
export async function runTable(subject: Subject, arms: readonly Arm[], load: Child): Promise<Table> {
  const { warmUp, measured } = roundsOf(subject.shape)
  const rows = arms.map((arm): GrowingRow => ({ arm, wall: [], cpu: [], exported: 0 }))
  for (let index = 0; index < startsOf(subject, 'more'); index += 1) {
    const started = rows.filter(({ arm }) => index < startsOf(subject, isStartedMore(arm, subject) ? 'more' : 'all'))
    const running = await Promise.all(started.map(row => start(row, subject)))
    for (let round = -warmUp; round < measured; round += 1) {
      // No arm always comes after the same other one.
      for (const { row, service } of shuffled(running)) {
        const { wall, cpu } = await runRound(service, subject.shape, load)
        if (round < 0) continue
        row.wall.push(wall)
        row.cpu.push(cpu)
      }
    }
    await Promise.all(running.map(stop))
  }
  return { ...subject, rows }
}

/** How many processes all arms get, and those that get more. */
export function startsOf({ shape, isLeftAlone }: Subject, which: 'all' | 'more'): number {
  const { starts, moreStarts } = roundsOf(shape)
  return which === 'more' && !isLeftAlone ? moreStarts : starts
}

export function isStartedMore({ startedMore }: Arm, { shape }: Subject): boolean {
  return startedMore === 'everywhere' || (startedMore === 'in process' && shape !== 'HTTP')
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map(item => ({ item, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)
}

export function roundsOf(shape: ShapeName): Rounds {
  return shape === 'HTTP' ? OVER_HTTP : IN_PROCESS
}

async function runRound(service: Child, shape: ShapeName, load: Child): Promise<{ wall: number; cpu: number }> {
  const { query, batch } = shapes[shape]
  const { milliseconds } = roundsOf(shape)
  if (shape !== 'HTTP') {
    const { count, wall, cpu } = await service.ask({ ask: 'work', query, batch, milliseconds })
    return { wall: wall / count, cpu: cpu / count }
  }
  const before = await service.ask({ ask: 'cpu' })
  const { count, wall } = await load.ask({ ask: 'load', query, port: service.port, milliseconds })
  const after = await service.ask({ ask: 'cpu' })
  return { wall: wall / count, cpu: (after.cpu - before.cpu) / count }
}

interface Running {
  readonly row: GrowingRow
  readonly service: Child
  /** Where it exports to. */
  readonly sink: Child | undefined
}

async function start(row: GrowingRow, subject: Subject): Promise<Running> {
  const { arm } = row
  const sink = arm.exporting === undefined ? undefined : await Child.start('a sink', pathOf('./sink.js'))
  return { row, service: await startService(arm, subject, sink), sink }
}

async function stop({ row, service, sink }: Running): Promise<void> {
  await service.stop()
  if (sink === undefined) return
  row.exported += (await sink.ask({ ask: 'received' })).count
  await sink.stop()
}
