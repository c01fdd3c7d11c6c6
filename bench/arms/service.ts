/** The service under load, in a process of its own for each arm, since an instrumentation patches its whole process. */
import { setImmediate } from 'node:timers/promises'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { shapesOf, type Order, type Report } from '../shapes.js'

const schema = `
  type Query { hello: String  users(n: Int!): [User!]! }
  type User { id: ID! name: String email: String upper: String posts: [Post!]! }
  type Post { id: ID! title: String }
`
const resolvers = {
  Query: {
    hello: () => 'hello',
    users: (_: unknown, { n }: { n: number }) =>
      Array.from({ length: n }, (_user, id) => ({ id, name: `user ${id}`, email: `user${id}@example.org` }))
  },
  User: {
    upper: ({ name }: { name: string }) => name.toUpperCase(),
    posts: async ({ id }: { id: number }) => Promise.resolve([{ id, title: 'one' }])
  }
}

const app = Fastify()
await app.register(mercurius, { schema, resolvers, jit: Number(process.env.BENCH_JIT ?? 0) })
if (process.env.BENCH_PLUGIN !== undefined) {
  const { mercuriusPerformance } = await import('mercurius-performance')
  await app.register(mercuriusPerformance)
}
await app.ready()

async function work({ shape, operations }: Order): Promise<Report> {
  const { query } = shapesOf[shape]
  await setImmediate()
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  for (let index = 0; index < operations; index += 1) await app.graphql(query)
  const wall = ((performance.now() - before) * 1000) / operations
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wall, cpu: (user + system) / operations }
}

process.on('message', (order: Order) => {
  void work(order).then(report => process.send?.(report))
})
process.send?.('ready')
