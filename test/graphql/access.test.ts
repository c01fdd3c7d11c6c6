import '../preload.js'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { buildSchema } from 'graphql'
import mercurius from 'mercurius'
import { test, type Test } from 'tap'
import WebSocket from 'ws'
import { bearerAuthorization, readTokens } from '../../src/graphql/access.js'
import { mercuriusPerformance, type PluginOptions } from '../../src/plugin.js'
import { processMonitor } from '../../src/process-monitor.js'
import { ask, service, TOKEN } from '../service.js'

const schema = 'type Query { hello: Greeting } type Greeting { text: String } type Subscription { tick: Int }'
const resolvers = {
  Query: { hello: () => ({ text: 'hello' }) },
  Subscription: { tick: { subscribe: async function* () { yield await Promise.resolve({ tick: 1 }) } } } // prettier-ignore
}
const query = '{ _performanceMetrics { resolvers { name } } }'

function inProduction(t: Test): void {
  process.env.NODE_ENV = 'production'
  t.teardown(() => {
    delete process.env.NODE_ENV
  })
}

function withoutToken(t: Test): void {
  delete process.env.PERFORMANCE_ADMIN_TOKEN
  t.teardown(() => {
    process.env.PERFORMANCE_ADMIN_TOKEN = TOKEN
  })
}

async function start(options: PluginOptions = {}): Promise<FastifyInstance> {
  return service({ schema, resolvers, allowBatchedQueries: true, subscription: { fullWsTransport: true } }, options)
}

test('Security Considerations, Access Control: who is no administrator gets one and the same answer', async t => {
  const app = await start()
  t.teardown(() => app.close())
  const reads = t.capture(processMonitor(), 'snapshot', options => {
    throw new Error(`the store was read: ${JSON.stringify(options)}`)
  })
  const wrong: (string | undefined)[] = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${'x'.repeat(8000)}`
  ]
  const posted = new Set<string>()
  const got = new Set<string>()
  for (const authorization of wrong) {
    const headers = authorization === undefined ? {} : { authorization }
    const post = await app.inject({ method: 'POST', url: '/graphql', payload: { query }, headers })
    const get = await app.inject({ method: 'GET', url: '/graphql', query: { query }, headers })
    const batch = await app.inject({ method: 'POST', url: '/graphql', payload: [{ query }, { query }], headers })
    posted.add(post.body)
    got.add(get.body)
    t.strictSame(batch.json(), [post.json(), post.json()])
  }
  t.equal(posted.size, 1, 'one identical body for all of them')
  t.equal(got.size, 1)
  const answer: unknown = JSON.parse([...posted].join())
  t.strictSame(JSON.parse([...got].join()), answer)
  t.match(answer, { data: null, errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })

  for (const evasion of [
    '{ x: _performanceMetrics { resolvers { name } } }',
    '{ ...All } fragment All on Query { _performanceMetrics { cache { hits } } }',
    'query A { hello { text } ... on Query { _performanceMetrics { config { enabled } } } }'
  ]) {
    t.match(await ask(app, evasion, {}), { data: null, errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })
  }
  t.equal(reads().length, 0, 'the store was not read')
})

test('over a WebSocket too', async t => {
  const app = await start()
  t.teardown(() => app.close())
  const address = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws')
  const answerTo = async (headers: Record<string, string>): Promise<string> => {
    const socket = new WebSocket(`${address}/graphql`, 'graphql-transport-ws', { headers })
    const answers: string[] = []
    socket.on('message', (message: Buffer) => answers.push(message.toString()))
    await new Promise(resolve => socket.once('open', resolve))
    socket.send(JSON.stringify({ type: 'connection_init' }))
    await delay(50)
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
    while (!answers.some(answer => answer.includes('"id":"1"'))) await delay(10)
    socket.terminate()
    return answers.join()
  }
  t.match(await answerTo({}), 'MPERF_FORBIDDEN')
  t.match(await answerTo({ authorization: 'Bearer wrong' }), 'MPERF_FORBIDDEN')
  t.match(await answerTo({ authorization: `Bearer ${TOKEN}` }), /"_performanceMetrics":\{"resolvers":\[/)
})

test('each of two tokens opens, so that one can be rotated out', async t => {
  const other = 'another-token-of-thirty-two-characters'
  const app = await start({ adminToken: ` ${TOKEN} , ${other},` })
  t.teardown(() => app.close())
  for (const token of [TOKEN, other]) {
    t.equal((await ask(app, query, { authorization: `bearer ${token}` })).errors, undefined)
  }
})

test('an adminToken that is null or undefined leaves it to the variable', async t => {
  for (const adminToken of [null, undefined]) {
    const app = await start({ adminToken })
    t.teardown(() => app.close())
    t.equal((await ask(app, query)).errors, undefined)
  }
})

test('the application may decide by its own login', async t => {
  const app = await start({ authorize: context => context.reply?.request?.headers?.['x-role'] === 'admin' })
  t.teardown(() => app.close())
  t.equal((await ask(app, query, { 'x-role': 'admin' })).errors, undefined)
  t.match(
    await ask(app, query),
    { errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] },
    'and the token no longer counts'
  )
})

test('a login that fails lets nobody in and says nothing', async t => {
  const app = await start({
    authorize: () => {
      throw new Error('the secret is hunter2')
    }
  })
  t.teardown(() => app.close())
  const answer = await ask(app, query)
  t.match(answer, { errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })
  t.notMatch(JSON.stringify(answer), 'hunter2')
})

test('options of the wrong type are refused with what would be right', async t => {
  for (const wrong of [{ adminToken: 12_345 }, { adminToken: [1] }, { authorize: 'yes' }, { exposeMetrics: 'yes' }]) {
    await t.rejects(start(wrong as unknown as PluginOptions), { code: 'MPERF_CONFIG_INVALID', message: /expected/ })
  }
})

test('nobody is an administrator where no token is set', async t => {
  withoutToken(t)
  const app = await start()
  t.teardown(() => app.close())
  for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer undefined' }]) {
    t.match(await ask(app, query, headers), { errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })
  }
})

test('Security Considerations, Production Configuration: without a credential the field is not in the schema', async t => {
  inProduction(t)
  withoutToken(t)
  const app = await start()
  t.teardown(() => app.close())
  t.match(await ask(app, query, {}), { errors: [{ message: /Cannot query field/ }] })
  t.equal(app.graphql.schema.getType('PerformanceMetrics'), undefined)
})

test('in production, exposed on purpose without a credential: the start is refused', async t => {
  inProduction(t)
  withoutToken(t)
  await t.rejects(start({ exposeMetrics: true }), { code: 'MPERF_CREDENTIAL_MISSING' })
})

test('Security Considerations, Data Exposure: in production _performance answers administrators alone, and only when on', async t => {
  inProduction(t)
  const app = await start({ includeInResponse: true })
  t.teardown(() => {
    processMonitor().configure({ includeInResponse: true })
    return app.close()
  })
  const timed = '{ hello { _performance { resolverName } } }'
  t.strictSame((await ask(app, timed, {})).data, { hello: { _performance: null } })
  t.strictSame((await ask(app, timed)).data, { hello: { _performance: { resolverName: 'Query.hello' } } })
  app.performance.configure({ includeInResponse: false })
  t.strictSame((await ask(app, timed)).data, { hello: { _performance: null } })
})

test('a short token is refused without being shown', t => {
  t.throws(() => readTokens('PERFORMANCE_ADMIN_TOKEN', 'a-perfectly-good-token-of-more-than-32,hunter2'), {
    code: 'MPERF_CONFIG_INVALID',
    message: /PERFORMANCE_ADMIN_TOKEN has a token of 7 characters: expected at least 32/
  })
  t.throws(() => readTokens('adminToken', ['hunter2']), {
    message: /^adminToken has a token of 7 characters: (?!.*hunter2)/
  })
  t.strictSame(readTokens('adminToken', undefined), [])
  t.strictSame(readTokens('adminToken', ' , '), [])
  t.equal(bearerAuthorization([])({ reply: { request: { headers: { authorization: 'Bearer ' } } } }), false)
  t.end()
})

test('registered before Mercurius, or twice: a coded error that says what to do', async t => {
  const early = Fastify()
  t.teardown(() => early.close())
  await t.rejects(Promise.resolve(early.register(mercuriusPerformance)), {
    code: 'MPERF_MERCURIUS_MISSING',
    message: /register mercurius before it/
  })
  const twice = Fastify()
  t.teardown(() => twice.close())
  await twice.register(mercurius, { schema, resolvers, subscription: true })
  await twice.register(mercuriusPerformance)
  await t.rejects(Promise.resolve(twice.register(mercuriusPerformance)), { code: 'MPERF_REGISTERED_TWICE' })
})

test('registered twice over one Mercurius from two contexts beside each other: the same coded error', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercurius, { schema, resolvers, subscription: true })
  await app.register(async child => child.register(mercuriusPerformance))
  await t.rejects(Promise.resolve(app.register(async child => child.register(mercuriusPerformance))), {
    code: 'MPERF_REGISTERED_TWICE'
  })
})

test('a schema that already has one of the names: a coded error that says which', async t => {
  for (const name of ['CacheMetrics', 'FieldPerformance']) {
    const own = `${schema} type ${name} { hits: Int }`
    await t.rejects(service({ schema: own, resolvers, subscription: true }), {
      code: 'MPERF_SCHEMA_CONFLICT',
      message: new RegExp(name)
    })
  }
})

test('what the application allows its clients to send is no limit for the fields of the monitor', async t => {
  const types = Array.from({ length: 50 }, (_, index) => `type Type${index} { id: ID }`).join('\n')
  const options = {
    schema: buildSchema(`type Query { hello: String } ${types}`),
    graphql: { parseOptions: { maxTokens: 20 } }
  }
  const app = await service(options, { adminToken: TOKEN })
  t.teardown(() => app.close())
  t.match(await ask(app, '{ _performanceMetrics { config { enabled } } }'), {
    data: { _performanceMetrics: { config: { enabled: true } } }
  })
})
