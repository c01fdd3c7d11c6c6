import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { shapesOf, type Order, type Report, type Shape } from './shapes.js'

interface Arm {
  readonly name: string
  /** Module to preload: a package's, or a file relative to this one. */
  readonly preload?: string
  readonly environment?: Record<string, string>
}

const arms: readonly Arm[] = [
  { name: 'bare' },
  { name: 'ours', preload: 'mercurius-performance/register', environment: { BENCH_PLUGIN: '1' } },
  {
    name: 'ours, PERFORMANCE_ENABLED=false',
    preload: 'mercurius-performance/register',
    environment: { BENCH_PLUGIN: '1', PERFORMANCE_ENABLED: 'false' }
  },
  {
    name: 'OpenTelemetry, ignoreTrivialResolveSpans',
    preload: './arms/opentelemetry.js',
    environment: { BENCH_IGNORE_TRIVIAL: '1' }
  },
  { name: 'OpenTelemetry, defaults', preload: './arms/opentelemetry.js' }
]

const ROUNDS = 15
const WARM_UP = 6

/** Runs every arm on every shape in turn, and returns the section for one engine. */
export async function engineSection(engine: 'graphql-js' | 'graphql-jit'): Promise<string> {
  const running = await Promise.all(arms.map(arm => start(arm, engine)))
  const lines: string[] = []
  for (const shape of Object.keys(shapesOf) as Shape[]) {
    const results = running.map((): Report[] => [])
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      for (const [index, child] of running.entries()) {
        const report = await ask(child, { shape, operations: shapesOf[shape].operations })
        if (round >= 0) results[index]?.push(report)
      }
    }
    const base = median(results[0] ?? [], 'wall')
    const baseCpu = median(results[0] ?? [], 'cpu')
    arms.forEach(({ name }, index) => {
      const wall = median(results[index] ?? [], 'wall')
      const cpu = median(results[index] ?? [], 'cpu')
      const cells = [shape, name, wall.toFixed(1), (wall / base).toFixed(2), cpu.toFixed(1), (cpu / baseCpu).toFixed(2)]
      lines.push(`| ${cells.join(' | ')} |`)
    })
  }
  for (const child of running) child.kill()
  return `## What a whole operation costs, ${engine}

In process (\`app.graphql(query)\`), nothing exported. S: \`{ hello }\`; M: 20 users, 41 resolver calls; L: 500 users, 1,001
resolver calls. Each arm is a process of its own; medians of ${ROUNDS} interleaved rounds.

| shape | arm | µs an operation | ratio to bare | CPU, µs | ratio |
| --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`
}

async function start(arm: Arm, engine: string): Promise<ChildProcess> {
  const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
  const child = fork(path('./arms/service.js'), {
    execArgv:
      arm.preload === undefined ? [] : ['--import', arm.preload.startsWith('.') ? path(arm.preload) : arm.preload],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      BENCH_JIT: engine === 'graphql-jit' ? '1' : '0',
      ...arm.environment
    }
  })
  child.once('exit', code => {
    if (code !== null) throw new Error(`the arm "${arm.name}" ended with code ${code}`)
  })
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, order: Order): Promise<Report> {
  child.send(order)
  const [report] = (await once(child, 'message')) as [Report]
  return report
}

function median(reports: readonly Report[], key: keyof Report): number {
  const sorted = reports.map(report => report[key]).sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
