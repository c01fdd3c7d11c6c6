import { once } from 'node:events'
import type { Test } from 'tap'
import { WebSocket, type ClientOptions } from 'ws'

export type Protocol = 'graphql-ws' | 'graphql-transport-ws'

export interface SocketMessage {
  readonly type: string
  readonly id?: string
  readonly payload?: unknown
}

/** A GraphQL client over WebSocket that keeps what it receives until it is asked for. */
export interface TestSocket {
  send(message: unknown): void
  /** The next message, or its absence after a second. */
  next(): Promise<SocketMessage | undefined>
  /** Sends a document under a new id and answers the first message about it. */
  subscribe(payload: unknown): Promise<SocketMessage | undefined>
  closed(): Promise<number>
  close(): void
}

export async function openSocket(
  t: Test,
  url: string,
  protocol: Protocol = 'graphql-transport-ws',
  options: ClientOptions = {}
): Promise<TestSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocol, options)
  t.teardown(() => {
    socket.terminate()
  })
  const received: SocketMessage[] = []
  socket.on('message', (data: Buffer) => {
    received.push(JSON.parse(data.toString()) as SocketMessage)
    socket.emit('received')
  })
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  let ids = 0
  const client: TestSocket = {
    send: message => {
      socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    },
    next: async () => {
      if (received.length === 0)
        await once(socket, 'received', { signal: AbortSignal.timeout(1_000) }).catch(() => null)
      return received.shift()
    },
    subscribe: payload => {
      ids += 1
      client.send({ id: String(ids), type: protocol === 'graphql-ws' ? 'start' : 'subscribe', payload })
      return client.next()
    },
    closed: () => closed,
    close: () => {
      socket.close()
    }
  }
  client.send({ type: 'connection_init' })
  await client.next()
  return client
}
