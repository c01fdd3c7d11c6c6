import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A process of its own that answers one question at a time. */
export interface Peer {
  ask<Answer>(question: unknown): Promise<Answer>
}

export interface PeerOptions {
  /** Modules that it loads before its own file. */
  readonly preload?: readonly string[]
  readonly environment?: Record<string, string>
  /** Further options of node. */
  readonly flags?: readonly string[]
}

/** Loads the built package as its users do. */
export const PRELOAD = 'mercurius-performance/register'

/** Starts `file` with nothing of this process's settings; it ends with the test. The file calls `answerWith`. */
export async function startPeer(t: Test, file: URL, options: PeerOptions = {}): Promise<Peer> {
  const { preload = [], environment = {}, flags = [] } = options
  const inherited = Object.entries(process.env).filter(([name]) => !/^(PERFORMANCE_|OTEL_)/.test(name))
  const child = fork(fileURLToPath(file), {
    execArgv: [...process.execArgv, ...flags, ...preload.flatMap(module => ['--import', module])],
    env: { ...Object.fromEntries(inherited), PERFORMANCE_LOG_ALL_METRICS: 'false', ...environment },
    // What an exporter prints is not for the reader of the tests.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  await messageOf(child)
  return {
    ask: async <Answer>(question: unknown) => {
      child.send(question as object)
      const { answer, error } = (await messageOf(child)) as { answer: Answer; error?: string }
      if (error !== undefined) throw new Error(error)
      return answer
    }
  }
}

/** Answers the process that started this one. */
export function answerWith(answer: (question: unknown) => unknown): void {
  const reply = async (question: unknown): Promise<void> => {
    try {
      process.send?.({ answer: (await answer(question)) ?? null })
    } catch (error) {
      process.send?.({ error: error instanceof Error ? error.stack : String(error) })
    }
  }
  process.on('message', question => void reply(question))
  process.send?.('ready')
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal: ended.signal }),
      once(child, 'exit', { signal: ended.signal }).then(([code]) => {
        throw new Error(`the process ended with ${String(code)}`)
      })
    ])) as [unknown]
    return message
  } finally {
    ended.abort()
  }
}
