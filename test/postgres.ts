import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Test } from 'tap'

/** How Postgres may stop: after its clients, at once with a clean shutdown, or without one. */
export type StopMode = 'smart' | 'fast' | 'immediate'

/** A PostgreSQL server of the test's own. */
export interface TestPostgres {
  /** Database `postgres`, with the password in it. */
  readonly url: string
  readonly port: number
  stop(mode: StopMode): Promise<void>
  /** SIGKILL of the postmaster. */
  kill(): Promise<void>
  /** Starts it again, on the same port and with the same data. */
  start(): Promise<void>
  /** Stops it and removes its data. */
  close(): Promise<void>
}

export const NO_POSTGRES = 'no PostgreSQL server binaries on this machine'

const PASSWORD = 'hunter2-secret'
const START_TIMEOUT_MILLISECONDS = 15_000
const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const

const run = promisify(execFile)

/** Starts a server, or answers null where none is installed; `more` are settings such as `max_connections=20`. */
export async function startPostgres(more: readonly string[] = []): Promise<TestPostgres | null> {
  const binaries = await findBinaries()
  if (binaries === null) return null
  const owner = findOwner()
  const folder = await mkdtemp(join(tmpdir(), 'mperf-postgres-'))
  if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid ?? owner.uid)
  await initialise(binaries, folder, owner)

  const port = await findFreePort()
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`
  let server: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server?.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  const postgres: TestPostgres = {
    url,
    port,
    stop: mode => end(signals[mode]),
    kill: () => end('SIGKILL'),
    start: async () => {
      server = await startServer(binaries, folder, port, owner, url, more)
    },
    close: async () => {
      await end('SIGQUIT')
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  await postgres.start()
  return postgres
}

/** A server for a test that cannot do without one, until the test ends. */
export async function usePostgres(t: Test, more: readonly string[] = []): Promise<TestPostgres> {
  const postgres = await startPostgres(more)
  if (postgres === null) throw new Error(`${NO_POSTGRES}: install postgresql`)
  t.teardown(() => postgres.close())
  return postgres
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

async function initialise(binaries: string, folder: string, owner: Owner): Promise<void> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, PASSWORD, { mode: 0o644 })
  const options = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--no-sync', '--no-instructions']
  const args = [`--pgdata=${join(folder, 'data')}`, `--pwfile=${passwordFile}`, ...options]
  await run(join(binaries, 'initdb'), args, { ...owner, cwd: folder })
}

async function startServer(
  binaries: string,
  folder: string,
  port: number,
  owner: Owner,
  url: string,
  more: readonly string[]
): Promise<ChildProcess> {
  const own = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off']
  const settings = [...own, ...more]
  const args = ['-D', join(folder, 'data'), ...settings.flatMap(setting => ['-c', setting])]
  const deadline = Date.now() + START_TIMEOUT_MILLISECONDS
  while (Date.now() < deadline) {
    const server = spawn(join(binaries, 'postgres'), args, { ...owner, cwd: folder, stdio: 'ignore' })
    if (await accepts(server, url, deadline)) return server
    // After a SIGKILL its orphaned processes need a moment to notice; until then a new server refuses to start.
    await setTimeout(100)
  }
  throw new Error(`PostgreSQL did not start within ${START_TIMEOUT_MILLISECONDS} ms`)
}

async function accepts(server: ChildProcess, url: string, deadline: number): Promise<boolean> {
  while (server.exitCode === null && Date.now() < deadline) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return true
    } catch {
      await setTimeout(50)
    }
  }
  return false
}

async function findBinaries(): Promise<string | null> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const newestFirst = versions.sort((one, other) => Number(other) - Number(one))
  const folders = [
    bindirOfPath(),
    ...newestFirst.map(version => `/usr/lib/postgresql/${version}/bin`),
    '/usr/local/bin'
  ]
  for (const folder of folders) {
    const files = folder === null ? [] : await readdir(folder).catch(() => [])
    if (folder !== null && files.includes('initdb') && files.includes('postgres')) return folder
  }
  return null
}

function bindirOfPath(): string | null {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}

/** PostgreSQL refuses to run as root, so root lends it another user. */
function findOwner(): Owner {
  if (process.getuid?.() !== 0) return {}
  for (const user of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map(flag =>
        Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }))
      )
      if (uid !== undefined && gid !== undefined) return { uid, gid }
    } catch {
      continue
    }
  }
  throw new Error('PostgreSQL cannot run as root, and there is neither a user postgres nor nobody')
}

/** A port that nothing listens on at the moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
