import '../preload.js'
import Fastify, { type FastifyInstance } from 'fastify'
import mercurius from 'mercurius'
import { test, type Test } from 'tap'
import { mercuriusPerformance, type PluginOptions } from '../../src/plugin.js'
import { isScrape } from '../../src/spans/scrapes.js'

const one = 'token-of-the-administrators-of-one-'
const two = 'token-of-the-administrators-of-two-'
const schema = 'type Query { hello: String }'

/** Two GraphQL APIs of one server. */
async function started(t: Test, plugins: readonly PluginOptions[]): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const [index, options] of plugins.entries()) {
    await app.register(async child => {
      await child.register(mercurius, { schema, path: `/${index}` })
      await child.register(mercuriusPerformance, options)
    })
  }
  return app
}

async function statusOf(app: FastifyInstance, authorization: string): Promise<number> {
  return (await app.inject({ url: '/metrics', headers: { authorization } })).statusCode
}

test('on a route that two GraphQL APIs share, the administrators of both are let in, and nobody else', async t => {
  const app = await started(t, [{ adminToken: one }, { adminToken: two }])
  for (const token of [one, two]) t.equal(await statusOf(app, `Bearer ${token}`), 200)
  for (const nobody of ['', `Bearer ${one}${two}`, 'Bearer x']) t.equal(await statusOf(app, nobody), 401)
})

test('a login that fails keeps out nobody whom that of the other API lets in', async t => {
  const authorize = (): boolean => {
    throw new Error('the login is gone')
  }
  const app = await started(t, [{ authorize }, { adminToken: two }])
  t.equal(await statusOf(app, `Bearer ${two}`), 200)
  t.equal(await statusOf(app, `Bearer ${one}`), 401)
})

test('servers share nothing with each other', async t => {
  const [first, second] = [await started(t, [{ adminToken: one }]), await started(t, [{ adminToken: two }])]
  t.equal(await statusOf(first, `Bearer ${two}`), 401)
  t.equal(await statusOf(second, `Bearer ${one}`), 401)
})

for (const [prefix, url] of [
  ['/', '/metrics'],
  ['/api/', '/api/metrics']
] as const) {
  test(`under the prefix ${prefix}, which ends with a slash, the route is ${url}`, async t => {
    const lines: string[] = []
    const app = Fastify({ logger: { level: 'info', stream: { write: line => lines.push(line) } } })
    t.teardown(() => app.close())
    for (const path of ['one', 'two']) {
      await app.register(
        async child => {
          await child.register(mercurius, { schema, path })
          await child.register(mercuriusPerformance, { adminToken: path === 'one' ? one : two })
        },
        { prefix }
      )
    }
    app.get('/*', () => 'mine')
    await app.ready()
    for (const token of [one, two]) {
      t.equal((await app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode, 200)
    }
    t.ok(isScrape({ method: 'GET', url, socket: {} as never }))
    const told = lines.filter(line => line.includes('metricsRoute'))
    t.match(told, [`GET ${url} is taken from the app's route GET /*;`])
    t.equal(told.length, 1)
  })
}
