/** Where the time of a service goes, as V8's own profiler sees it. */
import { Session, type Profiler, type Runtime } from 'node:inspector/promises'
import { parts, type Part, type Profile } from '../protocol.js'

/** Microseconds between two looks. */
const INTERVAL = 250

const session = new Session()

/** What `work` comes to, and how many microseconds of it each part took. */
export async function profiled<Result>(work: () => Promise<Result>): Promise<[Result, Profile]> {
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL })
  await session.post('Profiler.start')
  const result = await work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return [result, sum(profile)]
}

function sum({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Profile {
  const partOfNode = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]))
  const profile = Object.fromEntries(parts.map(part => [part, 0])) as Record<Part, number>
  samples.forEach((id, index) => {
    const part = partOfNode.get(id)
    if (part !== undefined) profile[part] += timeDeltas[index] ?? 0
  })
  return profile
}

/** Undefined for what is no work. What is written in C++ counts for the function that called it. */
function partOf({ functionName, url }: Runtime.CallFrame): Part | undefined {
  if (functionName === '(idle)') return undefined
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'V8 and Node outside of functions'
  if (/^node:(internal\/)?(async_|promise_hooks)/.test(url)) return 'AsyncLocalStorage'
  if (functionName === 'now' || functionName === 'hrtime' || /\/(internal\/perf\/|lib\/clock\.js)/.test(url))
    return 'the clock'
  if (/\/dist\/(spans|lib|self|monitor|recording)|\/arms\/floor\.js/.test(url)) return 'around calls'
  if (url.includes('/dist/store/')) return 'the store'
  return 'resolvers and engine'
}
