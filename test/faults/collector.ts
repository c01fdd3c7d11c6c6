import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Takes OTLP over HTTP as JSON, and only counts: the load it is under leaves no time for more. */
export interface CountingCollector {
  readonly port: number
  /** Spans of requests that were answered with 200. */
  taken: number
  status: number
  close(): Promise<void>
}

export async function startCollector(): Promise<CountingCollector> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (collector.status === 200) collector.taken += spansIn(Buffer.concat(parts))
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const collector: CountingCollector = {
    port: (server.address() as AddressInfo).port,
    taken: 0,
    status: 200,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
  return collector
}

const MARK = '"endTimeUnixNano"'

function spansIn(body: Buffer): number {
  let count = 0
  for (let at = body.indexOf(MARK); at !== -1; at = body.indexOf(MARK, at + MARK.length)) count += 1
  return count
}
