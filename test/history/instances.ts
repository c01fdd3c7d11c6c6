import type { Test } from 'tap'
import { startHistory, type RunningHistory } from '../../src/history/start.js'
import type { HistorySettings } from '../../src/history/settings.js'
import { resolveConfig } from '../../src/config.js'
import { createMonitor, type Monitor } from '../../src/monitor.js'

export interface Instance {
  readonly monitor: Monitor
  readonly history: RunningHistory
  /** What it wrote to the log. */
  readonly lines: string[]
}

export const settingsFor = (url: string, instance: string): HistorySettings => ({
  url,
  instance,
  service: 'tracker',
  version: '1.2.3',
  retention: { minutes: 24 * 3600, hours: 30 * 86_400, days: 400 * 86_400 }
})

/** An instance of the service `tracker` that keeps its history at `url`, until the test ends. */
export async function startInstance(t: Test, url: string, name: string): Promise<Instance> {
  const monitor = createMonitor(resolveConfig({}))
  const lines: string[] = []
  const history = await startHistory({
    settings: settingsFor(url, name),
    store: monitor.store,
    retentionPeriod: 3600,
    log: (_level, _fields, message) => lines.push(message)
  })
  monitor.history = history
  monitor.earlier = history.earlier
  t.teardown(async () => {
    await history.close()
    monitor.close()
  })
  return { monitor, history, lines }
}
