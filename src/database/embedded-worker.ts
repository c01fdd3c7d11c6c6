import { parentPort } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import type { WorkerReport } from './embedded.js'

const MAX_CONNECTIONS = 100

/** The frontend messages of the extended query protocol that leave a batch open; Sync ends it. */
const batchMessages = new Set(Array.from('PBDECHFd', letter => letter.charCodeAt(0)))

/**
 * PGlite has one session, which the socket server shares out message by message; it lets one client continue only while
 * `isInTransaction()` is true. A large Bind arrives in several chunks, so another client's Parse could come between one
 * client's Parse and its Bind and swap their statements. Counting an open batch as a transaction keeps it whole.
 */
class SharedPGlite extends PGlite {
  #batchIsOpen = false

  override isInTransaction(): boolean {
    return this.#batchIsOpen || super.isInTransaction()
  }

  override execProtocolRawStream(...args: Parameters<PGlite['execProtocolRawStream']>): Promise<void> {
    const [type] = args[0]
    this.#batchIsOpen = type !== undefined && batchMessages.has(type)
    return super.execProtocolRawStream(...args)
  }
}

async function start(): Promise<WorkerReport> {
  try {
    const db = new SharedPGlite()
    const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections: MAX_CONNECTIONS })
    await server.start()
    return { address: server.getServerConn() }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.postMessage(await start())
