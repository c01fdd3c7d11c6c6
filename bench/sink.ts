/** Where one arm exports to, a process of its own: it swallows bodies, of OTLP or of Datadog's protocol, and counts them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Order, Ready, Report } from './protocol.js'

let received = 0

const server = createServer((request, response) => {
  request.resume().once('end', () => {
    if (request.method !== 'GET') received += 1
    response.end(request.headers['content-type'] === 'application/x-protobuf' ? '' : '{}')
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')

process.on('message', (order: Order) => {
  if (order.ask !== 'received') throw new Error(`a sink cannot "${order.ask}"`)
  process.send?.({ count: received, wall: 0, cpu: 0 } satisfies Report)
})
process.once('disconnect', () => process.exit())
process.send?.({ port: (server.address() as AddressInfo).port } satisfies Ready)
