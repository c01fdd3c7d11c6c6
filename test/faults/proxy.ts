import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * What lies between a client and its server: nothing; nobody listens; connections are taken and nothing comes back; each
 * answer comes `SLOW_MILLISECONDS` late; connections are reset as soon as something is sent.
 */
export type Fault = 'none' | 'refuse' | 'black hole' | 'slow' | 'reset'

export const SLOW_MILLISECONDS = 8_000

export interface Proxy {
  readonly port: number
  become(fault: Fault): Promise<void>
  close(): Promise<void>
}

/** A TCP proxy on a port of its own in front of the server on `target`. */
export async function startProxy(target: number): Promise<Proxy> {
  const state: State = { fault: 'none', sockets: new Set() }
  let server = await listen(0, target, state)
  const { port } = server.address() as AddressInfo
  const stopListening = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of state.sockets) socket.destroy()
    await once(server, 'close')
  }
  return {
    port,
    become: async fault => {
      state.fault = fault
      if (fault === 'refuse') await stopListening()
      else if (!server.listening) server = await listen(port, target, state)
    },
    close: stopListening
  }
}

interface State {
  fault: Fault
  readonly sockets: Set<Socket>
}

async function listen(port: number, target: number, state: State): Promise<Server> {
  const server = createServer(client => {
    forward(client, target, state)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function forward(client: Socket, target: number, state: State): void {
  const upstream = connect(target, '127.0.0.1')
  for (const socket of [client, upstream]) {
    state.sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      state.sockets.delete(socket)
      client.destroy()
      upstream.destroy()
    })
  }
  client.on('data', data => {
    if (state.fault === 'reset') client.resetAndDestroy()
    else if (state.fault !== 'black hole') upstream.write(data)
  })
  upstream.on('data', data => {
    if (state.fault === 'slow') setTimeout(() => client.write(data), SLOW_MILLISECONDS)
    else if (state.fault !== 'black hole') client.write(data)
  })
}
