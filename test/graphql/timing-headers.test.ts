import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import { service, TOKEN } from '../service.js'

const schema = 'type Query { slow: Int hello: String }'
const resolvers = {
  Query: {
    slow: async () => {
      await delay(20)
      return 1
    },
    hello: () => 'hello'
  }
}
const administrator = { authorization: `Bearer ${TOKEN}` }

async function headersOf(app: FastifyInstance, payload: object, headers: Record<string, string>): Promise<object> {
  const response = await app.inject({ method: 'POST', url: '/graphql', payload, headers })
  return response.headers
}

const timed = /^graphql;dur=(\d+\.\d{3}), sql;dur=0\.000;desc="0 statements", trace;desc="([0-9a-f]{32})"$/

for (const jit of [0, 1]) {
  test(`administrators are told what an operation cost and its trace id; jit: ${jit}`, async t => {
    const app = await service({ schema, resolvers, jit }, { adminToken: TOKEN })
    t.teardown(() => app.close())
    for (let round = 0; round < 4; round += 1) {
      const headers = (await headersOf(app, { query: 'query Slow { slow }' }, administrator)) as Record<string, string>
      const [, milliseconds, traceId] = timed.exec(String(headers['server-timing'])) ?? []
      t.ok(Number(milliseconds) >= 19, String(headers['server-timing']))
      t.equal(headers['x-trace-id'], traceId)
      const [operation] = app.performance.snapshot({ include: ['operations'], name: 'Slow', recent: 1 }).operations
      t.equal(operation?.recent[0]?.traceId, traceId, 'the one that the lists of recent calls show')
    }
  })
}

test('nobody else is told anything', async t => {
  const app = await service({ schema, resolvers }, { adminToken: TOKEN })
  t.teardown(() => app.close())
  const others: Record<string, string>[] = [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` }
  ]
  for (const headers of others) {
    const seen = await headersOf(app, { query: '{ hello }' }, headers)
    t.notOk('server-timing' in seen || 'x-trace-id' in seen)
  }
})

test('where nobody can be an administrator, requests are left alone', async t => {
  const app = await service({ schema, resolvers }, { adminToken: [] })
  t.teardown(() => app.close())
  t.notOk('server-timing' in (await headersOf(app, { query: '{ hello }' }, administrator)))
})

test('the operations of a batch stand side by side, and a document that is refused has no cost', async t => {
  const app = await service({ schema, resolvers, allowBatchedQueries: true }, { adminToken: TOKEN })
  t.teardown(() => app.close())
  const batch = [{ query: '{ hello }' }, { query: '{ hello }' }]
  const headers = (await headersOf(app, batch, administrator)) as Record<string, string>
  t.equal(String(headers['server-timing']).split('graphql;dur=').length, 3)
  t.notOk('server-timing' in (await headersOf(app, { query: '{ nothing }' }, administrator)))
})

test("an application's own login is asked for those alone who ask for the headers", async t => {
  let asked = 0
  const authorize = async (): Promise<boolean> => {
    asked += 1
    return Promise.resolve(true)
  }
  const app = await service({ schema, resolvers }, { authorize })
  t.teardown(() => app.close())
  t.notOk('server-timing' in (await headersOf(app, { query: '{ hello }' }, administrator)))
  t.equal(asked, 0)
  t.ok('server-timing' in (await headersOf(app, { query: '{ hello }' }, { 'x-server-timing': '1' })))
  t.equal(asked, 1)
})

test('entries of the application stay', async t => {
  const app = await service({ schema, resolvers }, { adminToken: TOKEN })
  t.teardown(() => app.close())
  app.graphql.addHook('preExecution', async (_schema, _document, context) => {
    context.reply.header('server-timing', ['db;dur=1', 'app;dur=2'])
    return Promise.resolve()
  })
  const headers = (await headersOf(app, { query: '{ hello }' }, administrator)) as Record<string, string>
  t.match(headers['server-timing'], /^db;dur=1, app;dur=2, graphql;dur=/)
})
