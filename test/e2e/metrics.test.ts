/** Tracker -> Collector -> Prometheus, all of them real: what Prometheus says is what `_performanceMetrics` says. */
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { startStack, type Stack } from '../../stack/stack.js'
import { usePostgres } from '../postgres.js'
import { run } from '../tracker/process.js'
import { post } from '../tracker/tracker.js'

const TOKEN = 'an-administrator-token-for-tests-only'
const TIMEOUT_MILLISECONDS = 20_000
const ROUNDS = 20

interface Row {
  readonly name: string
  readonly operationType?: string
  readonly queryType?: string
  readonly count: number
  readonly errorCount: number
  readonly totalTime: number
}

interface Metrics {
  readonly resolvers: readonly Row[]
  readonly queries: readonly Row[]
  readonly operations: readonly Row[]
  readonly cache: {
    readonly byName: readonly { readonly name: string; readonly hits: number; readonly misses: number }[]
  }
}

/** What Prometheus answers for one series: its labels, and a histogram or a number. */
interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly histogram?: readonly [number, { readonly count: string; readonly sum: string }]
  readonly value?: readonly [number, string]
}

const page = `query Page($search: String) { issues(filter: { search: $search }, first: 5) {
  totalCount edges { node { title author { name } comments { body author { name } } } } } labels { name } }`
const comment = 'mutation Comment { addComment(input: { issueId: "1", authorId: "1", body: "text" }) { body } }'
const fail = 'mutation Fail { addComment(input: { issueId: "999999", authorId: "1", body: "text" }) { body } }'

const fields = 'name count errorCount totalTime'
const metricsQuery = `{ _performanceMetrics {
  resolvers { ${fields} } queries { ${fields} queryType } operations { ${fields} operationType }
  cache { byName { name hits misses } } } }`

test('Prometheus says what _performanceMetrics says', { timeout: 900_000 }, async t => {
  const stack = await startStack()
  t.teardown(() => stack.stop())
  const postgres = await usePostgres(t)
  await t.test(
    'graphql-js, over grpc',
    t =>
    compare(t, stack, 'metrics-js', { DATABASE_URL: postgres.url, OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlpGrpc, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }) // prettier-ignore
  )
  await t.test(
    'graphql-jit, over http/protobuf',
    t =>
    compare(t, stack, 'metrics-jit', { DATABASE_URL: postgres.url, OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlpHttp, TRACKER_JIT: '1' }) // prettier-ignore
  )
})

async function compare(t: Test, stack: Stack, service: string, environment: Record<string, string>): Promise<void> {
  const tracker = run(t, 'main.js', [], {
    PORT: '0',
    PERFORMANCE_ADMIN_TOKEN: TOKEN,
    PERFORMANCE_LOG_ALL_METRICS: 'false',
    OTEL_SERVICE_NAME: service,
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_METRIC_EXPORT_TIMEOUT: '500',
    ...environment
  })
  const [url = ''] = /http:\S+\/graphql/.exec(await tracker.printed(/answers at http:\S+/)) ?? []
  const ask = (query: string, variables = {}) => post(url, { query, variables }, { authorization: `Bearer ${TOKEN}` })
  for (let round = 0; round < ROUNDS; round += 1) {
    t.match(await ask(page, { search: 'a' }), { data: { issues: { edges: [{}] } } })
    t.match(await ask(comment), { data: { addComment: { body: 'text' } } })
    t.match(await ask(fail), { errors: [{ message: 'there is no such issue' }] })
  }
  const { data } = await ask(metricsQuery)
  const told = (data as unknown as { _performanceMetrics: Metrics })._performanceMetrics
  const prometheus = new Prometheus(stack.prometheusUrl, service)
  const operations = told.operations.reduce((sum, { count }) => sum + count, 0)
  t.equal(operations, 3 * ROUNDS)
  await prometheus.until('graphql_server_processing_duration_seconds', operations)

  await checkRows(t, prometheus, told.operations, 'graphql_server_processing', ({ name, operationType = '' }) => ({
    graphql_operation_name: name,
    graphql_operation_type: operationType,
    graphql_processing_type: 'execute'
  }))
  await checkRows(t, prometheus, told.resolvers, 'graphql_server_resolver', ({ name }) => {
    const [type = '', field = ''] = name.split('.')
    return { graphql_parent_name: type, graphql_field_name: field }
  })
  await checkRows(t, prometheus, told.queries, 'db_client_operation', ({ name, queryType = '' }) => ({
    db_query_summary: name,
    db_operation_name: queryType,
    db_system_name: 'postgresql'
  }))
  const caches = await prometheus.series('mercurius_performance_cache_duration_seconds')
  const counts = told.cache.byName
    .flatMap(({ name, hits, misses }) => [[name, 'hit', hits] as const, [name, 'miss', misses] as const])
    .filter(([, , count]) => count > 0)
  t.ok(counts.length > 0)
  t.equal(caches.length, counts.length)
  for (const [name, outcome, count] of counts) {
    const found = caches.find(({ metric }) => metric.cache_name === name && metric.cache_outcome === outcome)
    t.equal(Number(found?.histogram?.[1].count), count, `${name} ${outcome}`)
  }
  tracker.child.kill('SIGTERM')
  t.equal((await tracker.ended()).code, 0)
}

async function checkRows(
  t: Test,
  prometheus: Prometheus,
  rows: readonly Row[],
  metric: string,
  labelsOf: (row: Row) => Record<string, string>
): Promise<void> {
  t.ok(rows.length >= 3, `${rows.length} rows of ${metric}`)
  const durations = await prometheus.series(`${metric}_duration_seconds`)
  const errors = await prometheus.series(`${metric}_errors_total`)
  t.equal(durations.length, rows.length, `${metric}: as many series as there are rows`)
  for (const row of rows) {
    const labels = labelsOf(row)
    const ofRow = ({ metric: found }: Series): boolean =>
      Object.entries(labels).every(([key, value]) => found[key] === value)
    const [, histogram] = durations.find(ofRow)?.histogram ?? []
    t.equal(Number(histogram?.count), row.count, `${row.name}: count`)
    t.ok(
      Math.abs(Number(histogram?.sum) - row.totalTime) < 1e-6,
      `${row.name}: ${histogram?.sum ?? '?'} s, ${row.totalTime} s`
    )
    t.equal(Number(errors.find(ofRow)?.value?.[1] ?? 0), row.errorCount, `${row.name}: errors`)
  }
}

class Prometheus {
  readonly #url: string
  readonly #service: string

  constructor(url: string, service: string) {
    this.#url = url
    this.#service = service
  }

  selector(metric: string): string {
    return `${metric}{job="${this.#service}"}`
  }

  async query(query: string): Promise<readonly Series[]> {
    const response = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(query)}`)
    return ((await response.json()) as { readonly data: { readonly result: readonly Series[] } }).data.result
  }

  series(metric: string): Promise<readonly Series[]> {
    return this.query(this.selector(metric))
  }

  /** Waits until all series of `metric` have counted `count` together. */
  async until(metric: string, count: number): Promise<void> {
    const deadline = Date.now() + TIMEOUT_MILLISECONDS
    for (;;) {
      const series = await this.series(metric)
      const seen = series.reduce((sum, { histogram }) => sum + Number(histogram?.[1].count ?? 0), 0)
      if (seen === count) return
      if (Date.now() > deadline) throw new Error(`Prometheus has counted ${seen} in ${metric}: expected ${count}`)
      await delay(100)
    }
  }
}
