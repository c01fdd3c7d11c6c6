import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { chooseAddresses } from './addresses.js'
import { findBinaries } from './binaries.js'
import { startChild, type Child } from './child.js'
import { StackError, type Report } from './errors.js'
import { programs, type Addresses, type Program } from './programs.js'

/** Collector, Jaeger and Prometheus, running. */
export interface Stack {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT with OTEL_EXPORTER_OTLP_PROTOCOL=grpc. */
  readonly otlpGrpc: string
  /** For OTEL_EXPORTER_OTLP_ENDPOINT with http/protobuf, the default, and http/json. */
  readonly otlpHttp: string
  readonly jaegerUrl: string
  readonly prometheusUrl: string
  readonly collectorHealthUrl: string
  /** The processes by the names of their programs. */
  readonly processIds: Readonly<Record<string, number>>
  /** Resolves when a program has ended that nobody stopped. */
  readonly failed: Promise<StackError>
  /** Ends all three, the Collector first, so that it can hand on what it holds. */
  stop(): Promise<void>
}

export interface StackOptions {
  readonly report?: Report
  readonly signal?: AbortSignal
  /** Which of the three; nothing answers at the addresses of the others. Default: all. */
  readonly only?: readonly string[]
}

const HEALTH_TIMEOUT_MILLISECONDS = 60_000
const ATTEMPTS = 3

/**
 * Starts the three with the repository's own configuration and waits until all are healthy.
 *
 * @throws StackError where a program is missing and cannot be built, or ends
 */
export async function startStack({ report = () => undefined, signal, only }: StackOptions = {}): Promise<Stack> {
  const wanted = programs.filter(({ name }) => only?.includes(name) ?? true)
  const binaries = await findBinaries(wanted, { report, ...(signal && { signal }) })
  for (let attempt = 1; ; attempt++) {
    try {
      return await startPrograms(wanted, binaries, signal)
    } catch (error) {
      // Between choosing a port and listening on it somebody else may take it.
      const isTaken = error instanceof StackError && error.message.includes('address already in use')
      if (!isTaken || attempt === ATTEMPTS) throw error
    }
  }
}

async function startPrograms(
  wanted: readonly Program[],
  binaries: readonly string[],
  signal?: AbortSignal
): Promise<Stack> {
  const addresses = await chooseAddresses(process.env)
  const folder = await mkdtemp(join(tmpdir(), 'mercurius-performance-stack-'))
  const children: Child[] = []
  let isStopping = false
  const never = new Promise<never>(() => undefined)
  const stop = async (): Promise<void> => {
    isStopping = true
    for (const child of children) await child.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const checks: string[] = []
    for (const [index, program] of wanted.entries()) {
      const { arguments: given, health } = program.run(addresses, join(folder, `${program.name}-data`))
      const logFile = join(folder, `${program.name}.log`)
      const file = binaries[index] ?? ''
      children.push(
        await startChild({ name: program.name, file, arguments: given, environment: environmentOf(addresses), logFile })
      )
      checks.push(health)
    }
    const failed = Promise.race(
      children.map(child => child.ended.then(end => (isStopping ? never : describeEnd(child, end))))
    )
    await Promise.race([
      Promise.all(children.map((child, index) => waitUntilHealthy(child, checks[index] ?? '', signal))),
      failed.then(error => {
        throw error
      })
    ])
    const processIds = Object.fromEntries(children.map(({ name, pid }) => [name, pid]))
    return { ...describeAddresses(addresses), processIds, failed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function describeAddresses(addresses: Addresses): Omit<Stack, 'failed' | 'stop' | 'processIds'> {
  return {
    otlpGrpc: `http://${addresses.COLLECTOR_GRPC}`,
    otlpHttp: `http://${addresses.COLLECTOR_HTTP}`,
    jaegerUrl: `http://${addresses.JAEGER_QUERY}`,
    prometheusUrl: addresses.PROMETHEUS_URL,
    collectorHealthUrl: `http://${addresses.COLLECTOR_HEALTH}/`
  }
}

/** Nothing of the caller's OTEL_* variables, which the three would follow too. */
function environmentOf(addresses: Addresses): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => ['PATH', 'HOME', 'TMPDIR'].includes(name))
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...addresses }
}

async function describeEnd(child: Child, end: number | NodeJS.Signals): Promise<StackError> {
  return new StackError(`${child.name} ended by itself with ${end}; the last it wrote:\n${await child.lastLines()}`)
}

async function waitUntilHealthy(child: Child, url: string, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + HEALTH_TIMEOUT_MILLISECONDS
  while (child.isRunning()) {
    signal?.throwIfAborted()
    if (await isHealthy(url)) return
    if (Date.now() > deadline) {
      throw new StackError(
        `${child.name} is not healthy after a minute, as ${url} tells; the last it wrote:\n${await child.lastLines()}`
      )
    }
    await delay(50)
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
