import '../preload.js'
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { mercuriusFederationPlugin } from '@mercuriusjs/federation'
import type { MercuriusGatewayOptions } from '@mercuriusjs/gateway'
import Fastify, { type FastifyPluginAsync } from 'fastify'
import mercuriusCache from 'mercurius-cache'
import { test } from 'tap'
import { trackedCache } from '../../src/cache/mercurius-cache.js'
import { mercuriusPerformance } from '../../src/plugin.js'
import { ask } from '../service.js'

// Its types name an export that is not there.
const mercuriusGateway = createRequire(import.meta.url)(
  '@mercuriusjs/gateway'
) as FastifyPluginAsync<MercuriusGatewayOptions>
const sdl = 'extend type Query { me: User } type User @key(fields: "id") { id: ID! name: String! }'

test('a gateway whose services have another schema goes on counting hits, misses and calls', async t => {
  const upstream = Fastify()
  t.teardown(() => upstream.close())
  await upstream.register(mercuriusFederationPlugin, {
    schema: sdl,
    resolvers: { Query: { me: () => ({ id: '1', name: 'Ada' }) } }
  })
  const url = `${await upstream.listen({ port: 0, host: '127.0.0.1' })}/graphql`
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(mercuriusGateway, { gateway: { services: [{ name: 'users', url }], pollingInterval: 20 } })
  await app.register(mercuriusPerformance)
  await app.register(trackedCache(mercuriusCache.default), { ttl: 10, policy: { Query: { me: true } } })
  await app.ready()
  const numbers = (): number[] => {
    const { cache, resolvers } = app.performance.snapshot({ include: ['cache', 'resolvers'], name: 'Query.me' })
    const { hits = 0, misses = 0 } = cache.byName[0] ?? {}
    return [hits, misses, resolvers[0]?.count ?? 0]
  }
  const grown = async (): Promise<number[]> => {
    const before = numbers()
    for (let call = 0; call < 3; call += 1) {
      t.strictSame(await ask(app, '{ me { name } }'), { data: { me: { name: 'Ada' } } })
    }
    return numbers().map((number, index) => number - (before[index] ?? 0))
  }
  // Three calls of the gateway, and the one of the service that it asked.
  const expected = [2, 1, 3 + 1]
  t.strictSame(await grown(), expected)
  for (const field of ['mail', 'phone']) {
    const service = upstream.graphql.schema.getQueryType()?.getFields()._service
    if (service !== undefined) service.resolve = () => ({ sdl: sdl.replace('name:', `${field}: String name:`) })
    const { schema } = app.graphql
    while (app.graphql.schema === schema) await delay(10)
    t.strictSame(await grown(), expected)
  }
})
