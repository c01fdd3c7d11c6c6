/** A Mercurius service that drives itself and tells what it still holds; started with `--expose-gc`. */
import Fastify from 'fastify'
import mercurius from 'mercurius'
// As in a service that sends SQL: every call that may wait has a context.
import 'pg'
import mercuriusPerformance, { getAllMetrics } from 'mercurius-performance'
import { setImmediate as turn } from 'node:timers/promises'
import { answerWith } from '../../peer.js'
import { abandon } from './abandon.js'
import { held, noting, references, shapeResolvers, shapes, type References } from './keep.js'

export type Order =
  | { readonly operations: number }
  /** Tells which references are alive after operations of each shape. */
  | { readonly references: true }

export interface Retained {
  /** Bytes that are reachable. */
  readonly bytes: number
  /** Operations that the monitor has counted so far; 0 without one. */
  readonly counted: number
}

const app = Fastify()
await app.register(mercurius, {
  schema: `type Query { small: Small  ${Object.keys(shapes)
    .map(name => `${name}(input: Input): Kept`)
    .join('  ')} }
    type Small { name: String }
    input Input { text: String }
    type Kept { name: String  again: Kept  strict: String!  slow: String }`,
  resolvers: {
    Query: { small: async () => Promise.resolve({ id: 1 }), ...shapeResolvers() },
    Small: { name: () => 'name' },
    Kept: {
      again: noting('again', async source => Promise.resolve(source)),
      strict: noting('strict', () => {
        throw new Error('of what must not be null')
      }),
      slow: noting('slow', async () => {
        await turn()
        return 'slow'
      })
    }
  },
  jit: Number(process.env.JIT ?? 0)
})
await app.register(mercuriusPerformance)
await app.listen({ host: '127.0.0.1', port: 0 })

answerWith(asked => {
  const order = asked as Order
  return 'operations' in order ? afterOperations(order.operations) : aliveAfterwards()
})

async function afterOperations(operations: number): Promise<Retained> {
  for (let count = 0; count < operations; count += 1) await app.graphql('query Small { small { name } }')
  await collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  const counted = getAllMetrics().operations.find(({ name }) => name === 'Small')?.count ?? 0
  return { bytes: heapUsed + arrayBuffers, counted }
}

async function aliveAfterwards(): Promise<References> {
  for (const shape of Object.keys(shapes)) {
    const query = `query ${shape}($text: String) { ${shape}(input: { text: $text }) { name again { name } } }`
    const strict = `query ${shape}($text: String) { ${shape}(input: { text: $text }) { name slow strict } }`
    for (const document of [query, strict]) {
      for (let round = 0; round < 40; round += 1) await once(document, String(round))
      await abandon(app, document)
    }
  }
  await collect()
  return references()
}

/** In a function of its own, so that no variable is left that holds anything. */
async function once(document: string, text: string): Promise<void> {
  const context = { round: text }
  const variables = { text }
  held('context', context)
  held('variables', variables)
  const answer = await Promise.race([app.graphql(document, context, variables), quiet()])
  if (answer !== undefined) held('answer', answer)
}

/** Some operations never end, so nobody waits for more than a few turns of the event loop. */
async function quiet(): Promise<undefined> {
  for (let index = 0; index < 5; index += 1) await turn()
  return undefined
}

async function collect(): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await quiet()
    globalThis.gc?.()
  }
}
