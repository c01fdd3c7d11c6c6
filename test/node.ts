import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Readable } from 'node:stream'

export const root = fileURLToPath(new URL('..', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Environment = Record<string, string | undefined>

/** Starts node on the built package, without the loaders of this test and without its variables. */
export function startNode(
  given: readonly string[],
  environment: Environment = {},
  cwd = root
): ChildProcessByStdio<null, Readable, Readable> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(NODE_|TAP|_TAP|PERFORMANCE_|OTEL_)/.test(name))
  const env = { ...Object.fromEntries(inherited), ...environment }
  return spawn(process.execPath, given, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs node to its end. */
export async function runNode(given: readonly string[], environment: Environment = {}, cwd = root): Promise<Finished> {
  const child = startNode(given, environment, cwd)
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, ...output }
}
