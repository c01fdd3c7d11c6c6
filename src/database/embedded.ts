import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface EmbeddedPostgres {
  /** Where it listens: a free port of the loopback interface. */
  readonly url: string
  /** Stops it; what it held is gone. */
  close(): Promise<void>
}

/** What the worker reports once: the address it listens on, or why it could not start. */
export type WorkerReport = { readonly address: string } | { readonly problem: string }

/**
 * Starts a Postgres inside this process, in memory and empty: PGlite, which is Postgres compiled to WebAssembly. It has
 * a thread of its own, so that a long query does not hold up the application, whose timings are being measured.
 */
export async function startEmbeddedPostgres(): Promise<EmbeddedPostgres> {
  const worker = new Worker(new URL('./embedded-worker.js', import.meta.url), {
    // Nothing there is to be traced: without this the worker would inherit `--import` and start a second SDK.
    execArgv: [],
    env: {}
  })
  try {
    const [report] = (await once(worker, 'message')) as [WorkerReport]
    if ('problem' in report) throw new Error(report.problem)
    // The process lives as long as the application, not as long as its database.
    worker.unref()
    return { url: `postgres://postgres@${report.address}/postgres`, close: () => stop(worker) }
  } catch (error) {
    await stop(worker)
    throw new Error('the embedded Postgres did not start', { cause: error })
  }
}

async function stop(worker: Worker): Promise<void> {
  await worker.terminate()
}
