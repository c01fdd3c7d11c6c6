/** A Mercurius service over Postgres that, when asked, puts itself under a mixed load. */
import { ascribed, monitor, type Ascribed } from './recorder.js'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import mercuriusPerformance, { createPool } from 'mercurius-performance'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { answerWith } from '../../peer.js'
import { createResolvers, type RequestContext } from './resolvers.js'
import { sent, signed } from './sender.js'

export interface Load {
  readonly operations: readonly string[]
  readonly requests: number
  readonly inFlight: number
}

export interface Report {
  /** How many statements were sent, and how many the monitor has seen. */
  readonly sent: number
  readonly seen: number
  /** Those that are ascribed to another resolver or operation than the one that sent them, or to none. */
  readonly wrong: readonly Ascribed[]
  /** Statements by `Type.field`, as sent and as counted. */
  readonly sentBy: Record<string, number>
  readonly countedFor: Record<string, number>
  readonly sentIn: Record<string, number>
  readonly countedIn: Record<string, number>
}

const leaves = `direct: String  awaited: String  timer: String  turns: String  together: String  generated: String
  refused: String  committed: String`

const schema = `
  type Query { ${leaves}  callback: String  checkedOut: String  emitted: String  promisified: String
    first: String  second: String  global: String  rolledBack: String  nested: String  items(count: Int): [Item] }
  type Mutation { ${leaves} }
  type Item { id: Int  name: String  text: String  parent: Item  shared: String  loaded: String }
`

// Fewer connections than operations in flight, so that queries wait for those of others.
const options = { connectionString: process.env.DATABASE_URL ?? '', max: 6 }
const pool =
  process.env.POOL === 'createPool'
    ? createPool({ ...options, deadline: 60, connectionTimeoutMillis: 0 })
    : new pg.Pool(options)
const app = Fastify()
await app.register(mercurius, {
  schema,
  resolvers: createResolvers(pool, (query, context) => app.graphql(query, { operation: 'Inner', ...context })),
  loaders: {
    Item: {
      loaded: async (batch: unknown[], context) => {
        const { operation } = context as unknown as RequestContext
        await pool.query(signed('SELECT 1', { resolver: 'Item.loaded', operation }))
        await delay(1)
        await pool.query(signed('SELECT 2', { resolver: 'Item.loaded', operation }))
        return batch.map(() => 'loaded')
      }
    }
  },
  context: request => ({ operation: nameOf((request.body as { query: string }).query) }),
  jit: Number(process.env.JIT ?? 0)
})
await app.register(mercuriusPerformance, { monitor })
await app.ready()

answerWith(async (asked): Promise<Report> => {
  const { operations, requests, inFlight } = asked as Load
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < requests) {
      const query = operations[next % operations.length] ?? ''
      next += 1
      const { statusCode, body } = await app.inject({ method: 'POST', url: '/graphql', payload: { query } })
      if (statusCode !== 200) throw new Error(body)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  for (let wait = 0; wait < 100 && ascribed.length < sent.length; wait += 1) await delay(20)
  return report()
})

function report(): Report {
  const { resolvers, operations } = monitor.snapshot()
  return {
    sent: sent.length,
    seen: ascribed.length,
    wrong: ascribed.filter(
      ({ text, resolver, operation }) => !text.endsWith(`/* ${resolver ?? 'none'} in ${operation ?? 'none'} */`)
    ),
    sentBy: tally(sent.map(({ resolver }) => resolver)),
    countedFor: Object.fromEntries(
      resolvers.filter(({ sqlCount }) => sqlCount > 0).map(({ name, sqlCount }) => [name, sqlCount])
    ),
    sentIn: tally(sent.map(({ operation }) => operation)),
    countedIn: Object.fromEntries(
      operations.map(({ name, count, queriesPerRequest }) => [name, Math.round(count * queriesPerRequest)])
    )
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function nameOf(query: string): string {
  return /^\s*(?:query|mutation) (\w+)/.exec(query)?.[1] ?? 'anonymous'
}
