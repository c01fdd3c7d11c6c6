import Fastify, { type FastifyInstance } from 'fastify'
import mercurius from 'mercurius'
import type { Test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import type { RunningHistory } from '../../src/history/start.js'
import { createMonitor, type Monitor } from '../../src/monitor.js'
import { mercuriusPerformance } from '../../src/plugin.js'
import type { HistoryReport } from '../../src/store/history.js'
import { ask, TOKEN } from '../service.js'

/** A Mercurius service that keeps history, as a user would build it, and what it logged of that. */
export interface HistoryService {
  readonly app: FastifyInstance
  readonly monitor: Monitor
  readonly lines: string[]
  readonly report: () => Promise<HistoryReport>
  readonly flush: () => Promise<void>
  /** The codes of the errors that the fleet's numbers are answered with. */
  readonly fleetCodes: () => Promise<(string | undefined)[]>
}

const SELF = '{ _performanceMetrics { self { history { state problem lastWritten waitingMinutes droppedMinutes } } } }'
const FLEET = '{ _performanceMetrics(scope: FLEET) { resolvers { name count } } }'

export async function serviceWithHistory(t: Test, url: string): Promise<HistoryService> {
  const lines: string[] = []
  const stream = {
    write: (line: string) => {
      const { msg } = JSON.parse(line) as { readonly msg: string }
      if (msg.startsWith('PERFORMANCE: history')) lines.push(msg)
    }
  }
  const app = Fastify({ logger: { level: 'info', stream }, disableRequestLogging: true })
  const monitor = createMonitor(resolveConfig({}))
  await app.register(mercurius, {
    schema: 'type Query { hello: String }',
    resolvers: { Query: { hello: () => 'you' } }
  })
  await app.register(mercuriusPerformance, { adminToken: TOKEN, monitor, history: { url, instance: 'service' } })
  await app.ready()
  t.teardown(async () => {
    await app.close()
    monitor.close()
  })
  return {
    app,
    monitor,
    lines,
    report: async () => {
      const { data } = await ask<{ _performanceMetrics: { self: { history: HistoryReport } } }>(app, SELF)
      return data._performanceMetrics.self.history
    },
    flush: async () => (monitor.history as RunningHistory | undefined)?.flush(),
    fleetCodes: async () => ((await ask(app, FLEET)).errors ?? []).map(({ extensions }) => extensions?.code)
  }
}
