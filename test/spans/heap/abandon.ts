import type { FastifyInstance } from 'fastify'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Sends requests whose clients go away before the answer, and waits until the service has forgotten them. */
export async function abandon(app: FastifyInstance, query: string): Promise<void> {
  const { port } = app.server.address() as AddressInfo
  const body = JSON.stringify({ query, variables: { text: 'abandoned' } })
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const sent = request({
        host: '127.0.0.1',
        port,
        path: '/graphql',
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json' }
      })
      sent.on('error', () => undefined)
      sent.end(body)
      await once(sent, 'finish')
      await delay(2)
      sent.destroy()
    })
  )
  await delay(20)
}
