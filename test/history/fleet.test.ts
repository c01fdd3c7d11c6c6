import fastify from 'fastify'
import { mercurius } from 'mercurius'
import { test, type Test } from 'tap'
import { addMetricsField } from '../../src/graphql/fields.js'
import { usePostgres } from '../postgres.js'
import { seededRandom } from '../random.js'
import { call, recordResolver, select, sent } from '../store/support.js'
import { startInstance, type Instance } from './instances.js'

const NAMES = ['Query.issues', 'Query.users', 'Issue.comments', '__proto__', 'constructor']

interface Row {
  readonly name: string
  readonly count: number
  readonly errorCount: number
  readonly totalTime: number
  readonly minTime: number
  readonly maxTime: number
  readonly medianTime: number
  readonly p95Time: number
  readonly p99Time: number
  readonly sqlCount?: number
}

interface Metrics {
  readonly resolvers: readonly Row[]
  readonly queries: readonly Row[]
  readonly operations: readonly (Row & { readonly sqlPerRequest: { readonly max: number; readonly median: number } })[]
  readonly statements: readonly (Row & {
    readonly rows: number
    readonly callers: readonly { readonly count: number }[]
  })[]
  readonly cache: { readonly hits: number; readonly misses: number }
  readonly history: readonly { readonly timestamp: string; readonly count: number; readonly p95Time: number | null }[]
  readonly instances: readonly { readonly name: string; readonly version: string; readonly isReporting: boolean }[]
}

const times = 'name count errorCount totalTime minTime maxTime medianTime p95Time p99Time'
const QUESTION = `{
  _performanceMetrics(scope: FLEET, from: "-1h", step: "1m") {
    resolvers { ${times} sqlCount }
    queries { ${times} }
    operations { ${times} sqlPerRequest { max median } }
    statements { ${times} rows callers { count } }
    cache { hits misses }
    history(kind: RESOLVER, name: "Query.issues") { timestamp count p95Time }
    instances { name version isReporting }
  }
}`

/** What all instances measured, one list of durations for each resolver. */
type Ledger = Map<string, number[]>

/** As PostgreSQL's `percentile_cont`. */
function percentile(sorted: readonly number[], quantile: number): number {
  const rank = quantile * (sorted.length - 1)
  const [low = 0, high = 0] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]]
  return low + (rank - Math.floor(rank)) * (high - low)
}

function measure({ monitor: { store } }: Instance, random: () => number, ledger: Ledger, calls: number): void {
  for (let index = 0; index < calls; index += 1) {
    const name = NAMES[Math.floor(random() * NAMES.length)] ?? ''
    const seconds = Math.round(1e9 * Math.exp(-8 + 5 * random())) / 1e9
    recordResolver(store, name, { ...call(seconds, index % 10 === 0), statements: 1, sqlTime: 1000, selfTime: 1000 })
    store.recordQuery(select('issues'), sent(seconds, { rows: 2, resolver: name, operation: 'Board' }))
    store.recordOperation('Board', { type: 'query' }, call(seconds), index % 7)
    store.recordCache(index % 4 === 0 ? 'miss' : 'hit', 'labels', call(seconds))
    ledger.set(name, [...(ledger.get(name) ?? []), seconds])
  }
}

async function graphqlOf(t: Test, { monitor }: Instance) {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema: 'type Query { hello: String }' })
  await addMetricsField(app.graphql, { reader: monitor, authorize: () => true, timingForAdministratorsOnly: false })
  return async (query: string) => {
    const { data, errors } = await app.graphql(query)
    return { metrics: (data as { _performanceMetrics: Metrics } | null)?._performanceMetrics, errors }
  }
}

function compare(t: Test, metrics: Metrics | undefined, ledger: Ledger): void {
  if (metrics === undefined) throw new Error('there is no answer')
  const all = [...ledger.values()].flat().length
  t.strictSame(metrics.resolvers.map(({ name }) => name).sort(), [...ledger.keys()].sort())
  for (const row of metrics.resolvers) {
    const sorted = [...(ledger.get(row.name) ?? [])].sort((one, other) => one - other)
    const sum = sorted.reduce((total, seconds) => total + seconds, 0)
    t.strictSame([row.count, row.sqlCount], [sorted.length, sorted.length], `${row.name}: every call, once`)
    t.strictSame([row.minTime, row.maxTime], [sorted[0], sorted.at(-1)])
    t.ok(Math.abs(row.totalTime - sum) < 1e-6)
    for (const [seen, quantile] of [
      [row.medianTime, 0.5],
      [row.p95Time, 0.95],
      [row.p99Time, 0.99]
    ] as const) {
      const exact = percentile(sorted, quantile)
      t.ok(Math.abs(seen / exact - 1) < 0.01, `${row.name}: ${quantile} is ${seen}, exactly ${exact}`)
    }
  }
  t.equal(
    metrics.resolvers.reduce((sum, { errorCount }) => sum + errorCount, 0),
    all / 10
  )
  t.equal(metrics.queries[0]?.count, all)
  t.match(metrics.operations, [{ count: all, sqlPerRequest: { max: 6, median: 3 } }])
  t.match(metrics.statements, [{ count: all, rows: 2 * all }])
  t.equal(
    metrics.statements[0]?.callers.reduce((sum, { count }) => sum + count, 0),
    all
  )
  t.equal(metrics.cache.hits + metrics.cache.misses, all)
  t.equal(
    metrics.history.reduce((sum, { count }) => sum + count, 0),
    ledger.get('Query.issues')?.length
  )
}

test('five instances answer as one: counts to the unit, quantiles within one percent', async t => {
  const { url } = await usePostgres(t)
  const instances: Instance[] = []
  for (const name of ['a', 'b', 'c', 'd', 'e']) instances.push(await startInstance(t, url, name))
  const [first] = instances
  if (first === undefined) throw new Error('no instance')
  const random = seededRandom(5)
  const ledger: Ledger = new Map()
  const ask = await graphqlOf(t, first)
  for (const round of [1, 2, 3]) {
    for (const instance of instances) {
      measure(instance, random, ledger, 400 * round)
      await instance.history.flush()
    }
    const { metrics, errors } = await ask(QUESTION)
    t.notOk(errors)
    compare(t, metrics, ledger)
    t.strictSame(metrics?.instances.map(({ name, version, isReporting }) => [name, version, isReporting]).sort(), [
      ['a', '1.2.3', true],
      ['b', '1.2.3', true],
      ['c', '1.2.3', true],
      ['d', '1.2.3', true],
      ['e', '1.2.3', true]
    ])
  }
})
