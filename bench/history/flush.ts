import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { resolveConfig } from '../../src/config.js'
import { History } from '../../src/history/postgres/history.js'
import { createMonitor } from '../../src/monitor.js'
import { Store } from '../../src/store/store.js'
import { median, quantile } from '../statistics.js'
import { random, SERVICE } from './load.js'

const SERIES = 2000
const FLUSHES = 32
/** So that a minute ends among them. */
const BETWEEN = 2000

export interface FlushTimes {
  /** Milliseconds; all but the first. */
  readonly median: number
  readonly most: number
  /** Of the first, which writes the names. */
  readonly first: number
  /** Statements of the flush that sent the most but for the first, BEGIN and COMMIT included. */
  readonly statements: readonly string[]
}

/** An instance of 2,000 series, to all of which something comes between two flushes. */
export async function timeFlushes(url: string): Promise<FlushTimes> {
  const monitor = createMonitor(resolveConfig({}))
  const { clock } = monitor.store
  const history = new History({
    settings: {
      url,
      instance: 'flushing',
      service: SERVICE,
      version: null,
      retention: { minutes: 86_400, hours: 30 * 86_400, days: 400 * 86_400 }
    },
    clock,
    store: monitor.store,
    earlier: new Store({ clock, retentionPeriod: 3600 }),
    log: (_level, _fields, message) => {
      console.error(message)
    },
    // By itself it would write what is to be timed.
    interval: 1e9
  })
  history.start()
  const writers = Array.from({ length: SERIES }, (_, index) => monitor.callWriter(`Type.field${index}`))
  const times: number[] = []
  let statements: readonly string[] = []
  for (let flush = 0; flush < FLUSHES; flush += 1) {
    for (let call = 0; call < 20 * SERIES; call += 1) {
      const duration = Math.round(50_000 * 1000 ** random())
      writers[call % SERIES]?.write(monitor.now(), duration, false, 0, null, 1, 0, duration)
    }
    await wait(BETWEEN)
    const heard = listen()
    const began = performance.now()
    await history.flush()
    times.push(performance.now() - began)
    const sent = heard()
    if (flush > 0 && sent.length > statements.length) statements = sent
  }
  if (!statements.some(statement => statement.endsWith('.minutes'))) throw new Error('no minute ended meanwhile')
  if (history.report.state !== 'WRITING') throw new Error(`history is ${history.report.state}`)
  await history.close()
  monitor.close()
  const [first = NaN, ...later] = times
  return { median: median(later), most: quantile(later, 1), first, statements }
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
