import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** A program that runs, and where it writes. */
export interface Child {
  readonly name: string
  readonly pid: number
  /** Resolves once it has ended: with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  isRunning(): boolean
  /** The last lines it has written. */
  lastLines(): Promise<string>
  /** SIGTERM, and after five seconds SIGKILL; resolves once it is gone. */
  stop(): Promise<void>
}

const GRACE_MILLISECONDS = 5_000
const LAST_LINES = 10

export interface ChildOptions {
  readonly name: string
  readonly file: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** What it writes goes there: nobody need read it while it runs. */
  readonly logFile: string
}

export async function startChild(options: ChildOptions): Promise<Child> {
  const log = await open(options.logFile, 'w')
  // A group of its own, so that Ctrl-C reaches us alone and we end it in order.
  const child = spawn(options.file, options.arguments, {
    env: options.environment,
    detached: true,
    stdio: ['ignore', log.fd, log.fd]
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  // That it never started is seen by `spawn`.
  const ended = exited.then(([code, signal]) => code ?? signal ?? 0)
  ended.catch(() => undefined)
  // Whatever ends this process, as long as it still runs code, ends them.
  const endWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  child.once('exit', () => process.off('exit', endWithUs))
  await once(child, 'spawn').finally(() => log.close())
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    name: options.name,
    pid: child.pid ?? 0,
    ended,
    isRunning,
    lastLines: async () =>
      (await readFile(options.logFile, 'utf8')).trimEnd().split('\n').slice(-LAST_LINES).join('\n'),
    stop: async () => {
      if (!isRunning()) return
      child.kill('SIGTERM')
      const patience = new AbortController()
      const tooLong = delay(GRACE_MILLISECONDS, undefined, { signal: patience.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined
      )
      await ended
      patience.abort()
      await tooLong
    }
  }
}
