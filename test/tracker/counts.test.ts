import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { run } from './process.js'
import { post, type GraphQLAnswer } from './tracker.js'

const TOKEN = 'an-administrator-token-for-tests-only'

interface Row {
  readonly name: string
  readonly count: number
  readonly errorCount: number
  readonly queriesPerRequest?: number
  readonly sqlCount?: number
  readonly sqlTime?: number
  readonly totalTime?: number
  readonly selfTime?: number
}

interface StatementRow extends Row {
  readonly fingerprint: string
  readonly text: string
  readonly rows: number | null
  readonly callers: readonly {
    readonly resolver: string | null
    readonly operation: string | null
    readonly count: number
    readonly errorCount: number
    readonly rows: number | null
  }[]
}

interface OperationRow extends Row {
  readonly sqlPerRequest: Record<'avg' | 'min' | 'median' | 'p90' | 'p95' | 'p99' | 'max', number>
}

interface Metrics {
  readonly resolvers: readonly Row[]
  readonly queries: readonly Row[]
  readonly statements: readonly StatementRow[]
  readonly operations: readonly OperationRow[]
  readonly cache: {
    readonly byName: readonly { readonly name: string; readonly hits: number; readonly misses: number }[]
  }
}

const everything = `{ _performanceMetrics {
  resolvers(limit: 2001) { name count errorCount sqlCount sqlTime totalTime selfTime }
  queries(limit: 2001) { name count errorCount }
  statements(limit: 2001) {
    name count errorCount fingerprint text rows callers(limit: 33) { resolver operation count errorCount rows }
  }
  operations(limit: 2001) {
    name count errorCount queriesPerRequest sqlPerRequest { avg min median p90 p95 p99 max }
  }
  cache { byName { name hits misses } } } }`

/** Requests of known shape: what each costs is known from the schema and the seeded data alone. */
const listed = 'query Listed { issues(first: 10) { edges { node { id commentCount } } } }'
const paged =
  'query Paged { issue(id: 1) { id comments(first: 3) { id author { name } } labels { name } author { name } } }'
const refused = 'mutation Refused { addComment(input: { issueId: 999999, authorId: 1, body: "nobody" }) { id } }'
const cached = 'query Cached { labels { name } }'
const aborted = 'query Aborted { issues(first: 20) { edges { node { commentCount } } } }'

const shape = { listed: 60, paged: 60, refused: 40, cached: 40, aborted: 40 }

/** Sends a request whole and walks away before the answer. */
async function sendAndAbort(url: string, query: string): Promise<void> {
  const body = JSON.stringify({ query })
  const sent = request(url, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } })
  sent.on('error', () => undefined)
  sent.end(body)
  await once(sent, 'finish')
  await delay(30)
  sent.destroy()
}

for (const TRACKER_JIT of ['0', '1']) {
  test(`after a load of known shape every count equals what was sent, to the unit; TRACKER_JIT=${TRACKER_JIT}`, async t => {
    const server = run(t, 'main.js', [], {
      PORT: '0',
      PERFORMANCE_ADMIN_TOKEN: TOKEN,
      PERFORMANCE_LOG_ALL_METRICS: 'false',
      TRACKER_JIT
    })
    const printed = await server.printed(/http:\/\/127\.0\.0\.1:\d+\/graphql/)
    const url = /http:\/\/127\.0\.0\.1:\d+\/graphql/.exec(printed)?.[0] ?? ''
    const metrics = async (): Promise<Metrics> => {
      const { data } = await post(url, { query: everything }, { authorization: `Bearer ${TOKEN}` })
      return (data as unknown as { _performanceMetrics: Metrics })._performanceMetrics
    }
    t.strictSame(
      await metrics(),
      { resolvers: [], queries: [], statements: [], operations: [], cache: { byName: [] } },
      'nothing at start'
    )

    const labels = await post(url, { query: cached })
    const page = await post(url, { query: paged })
    const work = [
      ...Array.from({ length: shape.listed }, () => () => post(url, { query: listed })),
      ...Array.from({ length: shape.paged - 1 }, () => () => post(url, { query: paged })),
      ...Array.from({ length: shape.refused }, () => () => post(url, { query: refused })),
      ...Array.from({ length: shape.cached }, () => () => post(url, { query: cached })),
      ...Array.from({ length: shape.aborted }, () => () => sendAndAbort(url, aborted))
    ].sort((one, other) => String(one).length - String(other).length)
    // Interleaved, twenty at a time.
    const queue = work
      .map((item, index) => ({ item, at: (index * 7919) % work.length }))
      .sort((one, other) => one.at - other.at)
    const answers: unknown[] = []
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) answers.push(await next.item())
      })
    )
    t.equal(answers.length, work.length)
    await delay(500)

    const { resolvers, queries, statements, operations, cache } = await metrics()
    const counted = (rows: readonly Row[]) =>
      new Map(rows.map(({ name, count, errorCount }) => [name, [count, errorCount]]))
    t.strictSame(
      counted(operations),
      new Map(
        [
          ['Listed', [shape.listed, 0]],
          ['Paged', [shape.paged, 0]],
          ['Refused', [shape.refused, shape.refused]],
          ['Cached', [shape.cached + 1, 0]],
          ['Aborted', [shape.aborted, 0]]
        ].sort(byOrderOf(operations)) as [string, number[]][]
      )
    )
    t.strictSame(
      counted(resolvers),
      new Map(
        (
          [
            ['Query.issues', [shape.listed + shape.aborted, 0]],
            ['Issue.commentCount', [shape.listed * 10 + shape.aborted * 20, 0]],
            ['Query.issue', [shape.paged, 0]],
            ['Issue.comments', [shape.paged, 0]],
            ['Comment.author', [shape.paged * 3, 0]],
            ['Issue.labels', [shape.paged, 0]],
            ['Issue.author', [shape.paged, 0]],
            ['Mutation.addComment', [shape.refused, shape.refused]],
            ['Query.labels', [shape.cached + 1, 0]]
          ] as [string, number[]][]
        ).sort(byOrderOf(resolvers))
      )
    )
    // Loaded once before the others came, so that none of them joins a running load.
    const labelCache = cache.byName.find(({ name }) => name === 'Query.labels')
    t.strictSame(labelCache, { name: 'Query.labels', hits: shape.cached, misses: 1 })
    const misses = 1
    t.strictSame(
      counted(queries),
      new Map(
        (
          [
            ['SELECT comments', [shape.listed * 10 + shape.aborted * 20 + shape.paged, 0]],
            ['SELECT issues', [shape.listed + shape.aborted + shape.paged, 0]],
            ['SELECT users', [shape.paged * 3 + shape.paged, 0]],
            ['SELECT issue_labels', [shape.paged, 0]],
            ['INSERT comments', [shape.refused, shape.refused]],
            ['SELECT labels', [misses, 0]]
          ] as [string, number[]][]
        ).sort(byOrderOf(queries))
      )
    )
    const sent = new Map(resolvers.map(({ name, sqlCount }) => [name, sqlCount]))
    for (const [name, count] of [
      ['Query.issues', shape.listed + shape.aborted],
      ['Issue.commentCount', shape.listed * 10 + shape.aborted * 20],
      ['Query.issue', shape.paged],
      ['Issue.comments', shape.paged],
      ['Comment.author', shape.paged * 3],
      ['Issue.labels', shape.paged],
      ['Issue.author', shape.paged],
      ['Mutation.addComment', shape.refused],
      ['Query.labels', misses]
    ] as const) {
      t.equal(sent.get(name), count, `SQL statements sent by ${name}`)
    }
    for (const { name, sqlTime = NaN, totalTime = NaN, selfTime = NaN } of resolvers) {
      t.ok(sqlTime > 0 && sqlTime <= totalTime, name)
      t.ok(Math.abs(totalTime - sqlTime - selfTime) < 1e-9, name)
    }
    const perRequest = new Map(operations.map(({ name, queriesPerRequest }) => [name, queriesPerRequest]))
    t.equal(perRequest.get('Listed'), 11)
    t.equal(perRequest.get('Paged'), 7)
    t.equal(perRequest.get('Aborted'), 21)
    for (const [name, sent] of [
      ['Listed', 11],
      ['Paged', 7],
      ['Aborted', 21]
    ] as const) {
      const all = { avg: sent, min: sent, median: sent, p90: sent, p95: sent, p99: sent, max: sent }
      t.strictSame(operations.find(row => row.name === name)?.sqlPerRequest, all)
    }
    const ofCached = { avg: 1 / (shape.cached + 1), min: 0, median: 0, p90: 0, p95: 0, max: 1 }
    t.match(operations.find(({ name }) => name === 'Cached')?.sqlPerRequest, ofCached)

    const ofPage = (list: string): number => lengthAt(page, 'issue', list)
    t.strictSame(
      callersOf(statements),
      [
        ['SELECT issues: Query.issues in Listed', shape.listed, 0, shape.listed * 11],
        ['SELECT issues: Query.issues in Aborted', shape.aborted, 0, shape.aborted * 21],
        ['SELECT issues: Query.issue in Paged', shape.paged, 0, shape.paged],
        ['SELECT comments: Issue.commentCount in Listed', shape.listed * 10, 0, shape.listed * 10],
        ['SELECT comments: Issue.commentCount in Aborted', shape.aborted * 20, 0, shape.aborted * 20],
        ['SELECT comments: Issue.comments in Paged', shape.paged, 0, shape.paged * ofPage('comments')],
        ['SELECT users: Comment.author in Paged', shape.paged * 3, 0, shape.paged * 3],
        ['SELECT users: Issue.author in Paged', shape.paged, 0, shape.paged],
        ['SELECT issue_labels: Issue.labels in Paged', shape.paged, 0, shape.paged * ofPage('labels')],
        ['INSERT comments: Mutation.addComment in Refused', shape.refused, shape.refused, null],
        ['SELECT labels: Query.labels in Cached', misses, 0, lengthAt(labels, 'labels')]
      ].sort(),
      'who sent what, how often, with how many failures and rows'
    )
    // To PostgreSQL's parser `id = $1` and `id = ANY ($1)` are one statement, so the users are.
    t.equal(new Set(statements.map(({ fingerprint }) => fingerprint)).size, 8)
    t.ok(statements.every(({ fingerprint }) => /^[0-9a-f]{16}$/.test(fingerprint)))
    t.equal(
      statements.find(({ name }) => name === 'SELECT labels')?.text,
      'SELECT id, name, color FROM labels ORDER BY name'
    )
    for (const { callers, count, errorCount, name } of statements) {
      t.equal(
        callers.reduce((sum, caller) => sum + caller.count, 0),
        count,
        name
      )
      t.equal(
        callers.reduce((sum, caller) => sum + caller.errorCount, 0),
        errorCount,
        name
      )
    }
  })
}

function lengthAt({ data }: GraphQLAnswer, ...path: string[]): number {
  const list = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], data)
  return (list as unknown[]).length
}

function callersOf(statements: readonly StatementRow[]): unknown[] {
  return statements
    .flatMap(({ name, callers }) =>
      callers.map(({ resolver, operation, count, errorCount, rows }) => [
        `${name}: ${resolver} in ${operation}`,
        count,
        errorCount,
        rows
      ])
    )
    .sort()
}

/** Maps compare in order; the rows come ordered by time, which is another matter. */
function byOrderOf(rows: readonly Row[]): (one: readonly unknown[], other: readonly unknown[]) => number {
  const order = rows.map(({ name }) => name)
  return ([one], [other]) => order.indexOf(one as string) - order.indexOf(other as string)
}
