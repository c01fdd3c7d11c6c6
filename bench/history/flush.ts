import pg from 'pg'
import { resolveConfig } from '../../src/config.js'
import { startHistory } from '../../src/history/start.js'
import { createMonitor } from '../../src/monitor.js'
import { median, quantile } from '../statistics.js'
import { random, SERVICE } from './load.js'

const SERIES = 2000
const FLUSHES = 30

export interface FlushTimes {
  /** Milliseconds. */
  readonly median: number
  readonly most: number
  /** Statements of one flush, BEGIN and COMMIT included. */
  readonly statements: readonly string[]
}

/** An instance of 2,000 series, to all of which something comes between two flushes. */
export async function timeFlushes(url: string): Promise<FlushTimes> {
  const monitor = createMonitor(resolveConfig({}))
  const history = await startHistory({
    settings: {
      url,
      instance: 'flushing',
      service: SERVICE,
      version: null,
      retention: { minutes: 86_400, hours: 30 * 86_400, days: 400 * 86_400 }
    },
    store: monitor.store,
    retentionPeriod: 3600,
    log: (_level, _fields, message) => {
      console.error(message)
    }
  })
  const times: number[] = []
  let statements: string[] = []
  for (let flush = 0; flush < FLUSHES; flush += 1) {
    for (let call = 0; call < 20 * SERIES; call += 1) {
      const duration = Math.round(50_000 * 1000 ** random())
      const measurement = { duration, failed: false, argsCount: 0, traceId: null, statements: 1 }
      monitor.store.recordResolver(`Type.field${call % SERIES}`, measurement)
    }
    const heard = flush === FLUSHES - 1 ? listen() : undefined
    const began = performance.now()
    await history.flush()
    times.push(performance.now() - began)
    statements = heard?.() ?? []
  }
  if (history.report.state !== 'WRITING') throw new Error(`history is ${history.report.state}`)
  await history.close()
  monitor.close()
  // The first writes the names too.
  return { median: median(times.slice(1)), most: quantile(times, 1), statements }
}

type Query = (this: pg.Client, ...args: [string | { readonly text: string }]) => unknown

/** The first words of what is sent until it is called. */
function listen(): () => string[] {
  const heard: string[] = []
  const prototype = pg.Client.prototype as unknown as { query: Query }
  const original = prototype.query
  prototype.query = function (...args) {
    const [given] = args
    const text = typeof given === 'string' ? given : given.text
    heard.push(
      text
        .trim()
        .split(/[\s(]+/, 3)
        .join(' ')
    )
    return original.apply(this, args)
  }
  return () => {
    prototype.query = original
    return heard
  }
}
