import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { run } from './process.js'
import { post } from './tracker.js'

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

interface Metrics {
  readonly resolvers: readonly Row[]
  readonly queries: readonly Row[]
  readonly operations: readonly Row[]
  readonly cache: {
    readonly byName: readonly { readonly name: string; readonly hits: number; readonly misses: number }[]
  }
}

const everything = `{ _performanceMetrics {
  resolvers(limit: 2001) { name count errorCount sqlCount sqlTime totalTime selfTime }
  queries(limit: 2001) { name count errorCount }
  operations(limit: 2001) { name count errorCount queriesPerRequest }
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
      { resolvers: [], queries: [], operations: [], cache: { byName: [] } },
      'nothing at start'
    )

    await post(url, { query: cached })
    const work = [
      ...Array.from({ length: shape.listed }, () => () => post(url, { query: listed })),
      ...Array.from({ length: shape.paged }, () => () => post(url, { query: paged })),
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

    const { resolvers, queries, operations, cache } = await metrics()
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
  })
}

/** Maps compare in order; the rows come ordered by time, which is another matter. */
function byOrderOf(rows: readonly Row[]): (one: readonly unknown[], other: readonly unknown[]) => number {
  const order = rows.map(({ name }) => name)
  return ([one], [other]) => order.indexOf(one as string) - order.indexOf(other as string)
}
