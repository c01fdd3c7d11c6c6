import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { StackError, type Report } from './errors.js'
import type { GoCommand, Program } from './programs.js'

const execute = promisify(execFile)

export interface BuildOrder {
  readonly program: Program
  readonly version: string
  /** Where the program is to be; until it is whole, nothing is there. */
  readonly file: string
  readonly go: string
  readonly report: Report
  readonly signal?: AbortSignal
}

/** How often somebody who waits is told that it goes on. */
const NEWS_MILLISECONDS = 30_000
/** What an interrupted build left behind is removed after that. */
const LEFTOVER_MILLISECONDS = 3_600_000
const BUILDING = 'building-'
const LAST_LINES = 8

/** The path of Go, where one is on PATH. From 1.21 on it fetches by itself the version that a module asks for. */
export async function findGo(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(name => name !== '')) {
    const go = join(folder, 'go')
    try {
      const { stdout } = await execute(go, ['version'])
      if (/ go1\.(2[1-9]|[3-9]\d)/.test(stdout)) return go
    } catch {
      continue
    }
  }
  return undefined
}

/**
 * Builds a program with Go. The build happens next to `file` and is renamed, so that several at once do no harm and one
 * that is interrupted leaves nothing that could be taken for a program.
 *
 * @throws StackError with the last lines of what Go said
 */
export async function buildProgram({ program, version, file, go, report, signal }: BuildOrder): Promise<void> {
  const cache = dirname(file)
  await mkdir(cache, { recursive: true })
  await removeLeftovers(cache)
  const title = `${program.name} ${version}`
  const started = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - started) / 1_000)} s`
  report(`${title} is not on PATH; Go builds it, once, into ${cache}`)
  const news = setInterval(() => {
    report(`${title}: still building, ${seconds()}`)
  }, NEWS_MILLISECONDS)
  const target = await mkdtemp(join(cache, BUILDING))
  try {
    const command = program.build(version, target)
    await runGo(go, command, title, signal)
    await rename(command.result, file)
  } finally {
    clearInterval(news)
    await rm(target, { recursive: true, force: true, maxRetries: 5 })
  }
  report(`${title}: built in ${seconds()}`)
}

async function runGo(go: string, command: GoCommand, title: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  // A group of its own: Go starts compilers, and what ends it must end them too.
  const child = spawn(go, command.arguments, {
    cwd: command.folder,
    env: { ...process.env, PATH: `${dirname(go)}${delimiter}${process.env.PATH ?? ''}` },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      lines = [...lines, ...text.split('\n').filter(line => line.trim() !== '')].slice(-LAST_LINES)
    })
  }
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  signal?.addEventListener('abort', end, { once: true })
  const [code] = (await once(child, 'close')) as [number | null]
  signal?.removeEventListener('abort', end)
  signal?.throwIfAborted()
  if (code !== 0)
    throw new StackError(`${title}: Go could not build it and ended with ${code ?? 'a signal'}:\n${lines.join('\n')}`)
}

async function removeLeftovers(cache: string): Promise<void> {
  const names = (await readdir(cache)).filter(name => name.startsWith(BUILDING))
  for (const folder of names.map(name => join(cache, name))) {
    const state = await stat(folder).catch(() => undefined)
    if (state !== undefined && Date.now() - state.mtimeMs > LEFTOVER_MILLISECONDS) {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
