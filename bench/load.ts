/** The load generator, a process of its own: ten connections that are kept alive, each with one request at a time. */
import autocannon from 'autocannon'
import type { Order, Ready, Report } from './protocol.js'

const CONNECTIONS = 10

async function load(order: Order): Promise<Report> {
  if (order.ask !== 'load') throw new Error(`the load generator cannot "${order.ask}"`)
  const result = await autocannon({
    url: `http://127.0.0.1:${order.port}/graphql`,
    method: 'POST',
    // The second is for Apollo's trace; nobody else minds it.
    headers: { 'content-type': 'application/json', 'apollo-federation-include-trace': 'ftv1' },
    body: JSON.stringify({ query: order.query }),
    connections: CONNECTIONS,
    duration: order.milliseconds / 1000,
    // It ends at a sample.
    sampleInt: 50
  })
  if (result.errors + result.non2xx > 0) {
    throw new Error(`${result.errors} requests failed and ${result.non2xx} were refused`)
  }
  return { count: result['2xx'], wall: (result.finish.getTime() - result.start.getTime()) * 1000, cpu: 0 }
}

process.on('message', (order: Order) => {
  void load(order).then(report => process.send?.(report))
})
process.once('disconnect', () => process.exit())
process.send?.({ port: 0 } satisfies Ready)
