/** Trackers -> OTLP -> a real Prometheus, which they ask about each other. */
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { startStack } from '../../stack/stack.js'
import { usePostgres } from '../postgres.js'
import { run } from '../tracker/process.js'
import { post, type GraphQLAnswer } from '../tracker/tracker.js'

const TOKEN = 'an-administrator-token-for-tests-only'

test('Trackers that export there answer for each other over GraphQL', { timeout: 600_000 }, async t => {
  const stack = await startStack({ only: ['Prometheus'] })
  t.teardown(() => stack.stop())
  const { prometheusUrl } = stack
  const postgres = await usePostgres(t)
  const start = (name: string): Promise<Ask> =>
    startTracker(t, {
      DATABASE_URL: postgres.url,
      OTEL_SERVICE_NAME: 'fleet',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${prometheusUrl}/api/v1/otlp/v1/metrics`,
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      PERFORMANCE_INSTANCE: name,
      PERFORMANCE_HISTORY: 'on',
      PERFORMANCE_HISTORY_URL: `prometheus+${prometheusUrl}`
    })
  const trackers = [await start('a'), await start('b')] as const
  for (const ask of [...trackers, ...trackers])
    t.match(await ask('query Users { users { edges { node { name } } } }'), { data: { users: {} } })
  const fleet = await until<FleetMetrics>(async () => {
    const { data } = await trackers[0](`{ _performanceMetrics(scope: FLEET, from: "-1h") {
      resolvers(name: "Query.users") { name count errorCount p95Time }
      operations(name: "Users") { operationType count } statements { name }
      history(kind: RESOLVER, name: "Query.users") { count p95Time }
      instances { name isReporting } self { history { state problem } } } }`)
    const found = (data as unknown as { _performanceMetrics: FleetMetrics })._performanceMetrics
    return found.resolvers[0]?.count === 4 ? found : undefined
  })
  t.match(fleet, {
    resolvers: [{ name: 'Query.users', count: 4, errorCount: 0 }],
    operations: [{ operationType: 'query', count: 4 }],
    self: { history: { state: 'READING', problem: null } }
  })
  t.strictSame(fleet.statements, [])
  t.ok((fleet.resolvers[0]?.p95Time ?? 0) > 0)
  t.equal(
    fleet.history.reduce((sum, { count }) => sum + count, 0),
    4
  )
  t.strictSame(fleet.instances.map(({ name, isReporting }) => [name, isReporting]).sort(), [['a', true], ['b', true]]) // prettier-ignore
  const own = await trackers[1]('{ _performanceMetrics(from: "-1h") { resolvers(name: "Query.users") { count } } }')
  t.match(own, { data: { _performanceMetrics: { resolvers: [{ count: 2 }] } } })
})

type Ask = (query: string) => Promise<GraphQLAnswer>

interface FleetMetrics {
  readonly resolvers: readonly { readonly count: number; readonly p95Time: number }[]
  readonly history: readonly { readonly count: number }[]
  readonly statements: readonly unknown[]
  readonly instances: readonly { readonly name: string; readonly isReporting: boolean }[]
}

async function startTracker(t: Test, environment: Record<string, string>): Promise<Ask> {
  const tracker = run(t, 'main.js', [], {
    PORT: '0',
    PERFORMANCE_ADMIN_TOKEN: TOKEN,
    PERFORMANCE_LOG_ALL_METRICS: 'false',
    ...environment
  })
  const [url = ''] = /http:\S+\/graphql/.exec(await tracker.printed(/answers at http:\S+/)) ?? []
  return query => post(url, { query }, { authorization: `Bearer ${TOKEN}` })
}

async function until<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error('never came')
    await delay(200)
  }
}
