/** What the service of every arm does with the orders of the runner. */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Order, Ready, Report } from '../protocol.js'
import { shapes } from '../shapes.js'
import { profiled } from './profiler.js'

// As in a service that sends SQL: whoever instruments pg finds it loaded.
if (process.env.BENCH_NO_SQL === undefined) await import('pg')

type Work = Extract<Order, { readonly batch: number }>

export type Execute = (query: string) => Promise<unknown>

/** Executes what the runner orders; `port` is where the service answers over HTTP. */
export async function serve(execute: Execute, port: number): Promise<void> {
  // Async resolvers run before anything is measured. From the first one on an arm that attributes SQL has an active
  // AsyncLocalStorage, which is what costs most: without it S, which has no async resolver, would look too good.
  const answer = JSON.stringify(await execute(shapes.M.query))
  if (!answer.includes('USER 19')) throw new Error(`the service answered ${answer.slice(0, 500)}`)
  process.on('message', (order: Order) => {
    void report(order, execute).then(report => process.send?.(report))
  })
  process.once('disconnect', () => process.exit())
  process.send?.({ port } satisfies Ready)
}

async function report(order: Order, execute: Execute): Promise<Report> {
  if (order.ask === 'cpu') return { count: 0, wall: 0, cpu: cpuTime() }
  if (order.ask === 'work') return work(order, execute)
  if (order.ask !== 'profile') throw new Error(`a service cannot "${order.ask}"`)
  const [done, profile] = await profiled(() => work(order, execute))
  return { ...done, profile }
}

async function work({ query, batch, milliseconds }: Work, execute: Execute): Promise<Report> {
  const cpuBefore = cpuTime()
  const before = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < milliseconds) {
    for (let index = 0; index < batch; index += 1) await execute(query)
    count += batch
    // As between requests: what was put off, such as an export, has its turn.
    await setImmediate()
    elapsed = performance.now() - before
  }
  await settle()
  return { count, wall: elapsed * 1000, cpu: cpuTime() - cpuBefore }
}

const IDLE_SLICE = 10

/** Until the process is idle: an export that still runs is CPU time of this arm, and not to disturb the next one. */
async function settle(): Promise<void> {
  let spent = Infinity
  for (let slice = 0; slice < 50 && spent > 0.2 * IDLE_SLICE * 1000; slice += 1) {
    const before = cpuTime()
    await setTimeout(IDLE_SLICE)
    spent = cpuTime() - before
  }
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
