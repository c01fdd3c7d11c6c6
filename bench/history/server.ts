import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, type TestPostgres } from '../../test/postgres.js'

export interface MeasuredServer {
  readonly postgres: TestPostgres
  /** Waits for locks of more than 100 ms and deadlocks, as its log tells them. */
  lockProblems(): readonly string[]
  close(): Promise<void>
}

/** A PostgreSQL that writes down who waits for a lock. */
export async function startMeasuredServer(): Promise<MeasuredServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mperf-log-'))
  chmodSync(folder, 0o777)
  const postgres = await startPostgres([
    'logging_collector=on',
    `log_directory=${folder}`,
    'log_filename=postgres.log',
    'log_lock_waits=on',
    'deadlock_timeout=100ms',
    // As in production; what is measured includes what reaches the disk.
    'fsync=on',
    'max_connections=200'
  ])
  if (postgres === null) throw new Error('no PostgreSQL server binaries on this machine: install postgresql')
  return {
    postgres,
    lockProblems: () =>
      readdirSync(folder)
        .flatMap(file => readFileSync(join(folder, file), 'utf8').split('\n'))
        .filter(line => /still waiting for|deadlock detected/.test(line)),
    close: async () => {
      await postgres.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
