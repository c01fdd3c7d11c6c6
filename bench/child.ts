import { fork, type ChildProcess, type ForkOptions } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Order, Ready, Report } from './protocol.js'

/** The path of a module of the bench, as the runner finds it next to itself. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

/** A process that answers orders, one at a time. */
export class Child {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
  }

  /** Starts a module and waits until it is ready. That it ends before it is stopped ends the bench. */
  static async start(name: string, module: string, options: ForkOptions = {}): Promise<Child> {
    const process = fork(module, options)
    process.once('exit', (code, signal) => {
      if (!process.killed) throw new Error(`${name} ended with ${code ?? signal ?? 'nothing'}`)
    })
    const [{ port }] = (await once(process, 'message')) as [Ready]
    return new Child(process, port)
  }

  async ask(order: Order): Promise<Report> {
    this.#process.send(order)
    const [report] = (await once(this.#process, 'message')) as [Report]
    return report
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }
}
