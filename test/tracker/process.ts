import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'

export interface ProcessResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly seconds: number
}

/** A program of the build, running with nothing of this process's environment but PATH. */
export interface TestProcess {
  readonly child: ChildProcess
  /** All it has written to standard output so far. */
  output(): string
  /** Waits until that matches `pattern`. */
  printed(pattern: RegExp): Promise<string>
  ended(): Promise<ProcessResult>
}

const TIMEOUT_MILLISECONDS = 30_000

/** Runs `dist/tracker/<file>` as package.json's scripts do. */
export function run(t: Test, file: string, args: string[], environment: Record<string, string> = {}): TestProcess {
  const started = performance.now()
  const preload = file === 'main.js' ? ['--import', 'mercurius-performance/register'] : []
  const child = spawn(process.execPath, [...preload, `dist/tracker/${file}`, ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    stdout,
    stderr,
    seconds: (performance.now() - started) / 1_000
  }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    output: () => stdout,
    printed: async pattern => {
      const deadline = Date.now() + TIMEOUT_MILLISECONDS
      while (!pattern.test(stdout)) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`never printed: ${stdout}${stderr}`)
        await setTimeout(20)
      }
      return stdout
    },
    ended: () => ended
  }
}
