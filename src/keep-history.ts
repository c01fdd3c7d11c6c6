import type { FastifyInstance } from 'fastify'
import type { HistorySettings } from './history/settings.js'
import { startHistory, type RunningHistory } from './history/start.js'
import type { Monitor } from './monitor.js'

interface SharedHistory {
  readonly starting: Promise<RunningHistory>
  /** Apps that have not closed. */
  apps: number
}

/** A monitor has one history, however many apps there are in the process. */
const shared = new WeakMap<Monitor, SharedHistory>()

/**
 * Keeps the monitor's history until the last app that asked for it has closed.
 *
 * @throws PerformanceError MPERF_CONFIG_INVALID
 */
export async function keepHistory(app: FastifyInstance, monitor: Monitor, settings: HistorySettings): Promise<void> {
  const found = shared.get(monitor) ?? { starting: start(app, monitor, settings), apps: 0 }
  // Before anything is awaited: another app may be about to register.
  shared.set(monitor, found)
  found.apps += 1
  const history = await found.starting.catch((error: unknown) => {
    shared.delete(monitor)
    throw error
  })
  app.addHook('onClose', async () => {
    found.apps -= 1
    if (found.apps > 0) return
    shared.delete(monitor)
    await history.close()
    if (monitor.history !== history) return
    monitor.history = undefined
    monitor.earlier = undefined
  })
}

async function start(app: FastifyInstance, monitor: Monitor, settings: HistorySettings): Promise<RunningHistory> {
  const history = await startHistory({
    settings,
    store: monitor.store,
    retentionPeriod: monitor.config.retentionPeriod,
    boots: monitor.boots,
    log: (level, fields, message) => {
      app.log[level](fields, message)
    },
    caught: error => {
      monitor.caught(error)
    }
  })
  monitor.history = history
  monitor.earlier = history.earlier
  return history
}
