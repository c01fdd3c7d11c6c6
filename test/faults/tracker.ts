import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { ExportReport } from '../../src/spans/export/account.js'
import type { SelfSnapshot } from '../../src/store/self-snapshot.js'
import { run, type TestProcess } from '../tracker/process.js'
import { post } from '../tracker/tracker.js'

const TOKEN = 'an-administrator-token-for-tests-only'

export interface Tracker {
  readonly process: TestProcess
  readonly pid: number
  readonly url: string
}

/** What makes it send its spans there. */
export function exportTo(port: number): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }
}

/** A Tracker as in production, in a process of its own. */
export async function startTracker(t: Test, database: string, environment: Record<string, string>): Promise<Tracker> {
  const process = run(t, 'main.js', [], {
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: database,
    PERFORMANCE_ADMIN_TOKEN: TOKEN,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    ...environment
  })
  const printed = await process.printed(/http:\S+\/graphql/)
  const [url = ''] = /http:\S+\/graphql/.exec(printed) ?? []
  return { process, url, pid: process.child.pid ?? 0 }
}

const PATIENCE_MILLISECONDS = 60_000
/** Of a caller that samples nothing, so that asking makes no spans that would be waited for. */
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'

type Self = Pick<SelfSnapshot, 'spansProcessed' | 'spansDropped' | 'faults' | 'overhead' | 'storeBytes' | 'export'>

const SELF = `spansProcessed spansDropped faults overhead storeBytes
  export { ended exported dropped failed notSampled waiting }`

/** What the monitor says of itself. */
export async function askSelf(url: string): Promise<Self> {
  const headers = { authorization: `Bearer ${TOKEN}`, traceparent: UNSAMPLED }
  const { data, errors } = await post(url, { query: `{ _performanceMetrics { self { ${SELF} } } }` }, headers)
  const metrics = data as unknown as { readonly _performanceMetrics: { readonly self: Self } } | null | undefined
  if (!metrics) throw new Error(`the Tracker does not tell: ${JSON.stringify(errors)}`)
  return metrics._performanceMetrics.self
}

/** What became of its spans, once none is waiting any more. */
export async function settledAccount(url: string): Promise<ExportReport> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS
  for (;;) {
    const { export: account } = await askSelf(url)
    if (account?.waiting === 0) return account
    if (Date.now() > deadline) throw new Error(`spans are still waiting: ${JSON.stringify(account)}`)
    await delay(100)
  }
}
