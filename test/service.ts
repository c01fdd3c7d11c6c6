import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import mercurius, { type MercuriusOptions } from 'mercurius'
import { mercuriusPerformance, type PluginOptions } from '../src/plugin.js'

export const TOKEN = 'an-administrator-token-for-tests-only'

export interface Answer<Data> {
  readonly data: Data
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/** A Mercurius service with the plugin, as a user would build it. */
export async function service(options: MercuriusOptions, plugin: PluginOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(mercurius, options)
  await app.register(mercuriusPerformance, plugin)
  await app.ready()
  return app
}

/** Posts a GraphQL query with the administrator's token, or with `headers` instead. */
export async function ask<Data = Record<string, unknown>>(
  app: FastifyInstance,
  query: string,
  headers: InjectOptions['headers'] = { authorization: `Bearer ${TOKEN}` }
): Promise<Answer<Data>> {
  const response = await app.inject({ method: 'POST', url: '/graphql', payload: { query }, headers })
  return response.json<Answer<Data>>()
}
