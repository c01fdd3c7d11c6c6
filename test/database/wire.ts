import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** What the proxy does when a client has sent a text that it watches for. */
export type Cut = 'before it arrives' | 'before its answer' | 'never'

/** What Postgres, or a pooler in front of it, says before it hangs up. */
export interface LastWords {
  readonly severity: string
  readonly code: string
}

export interface WireProxy {
  readonly port: number
  /** Connections that were made so far. */
  connections: number
  /** Cuts the next `times` messages of clients that hold `text`, without a word or with some. */
  watch(text: string, cut: Cut, times?: number, words?: LastWords): void
  /** From now on nothing comes through, in either direction; new connections are taken. */
  silence(isSilent: boolean): void
  /** Answers come that many milliseconds late. */
  delay(milliseconds: number): void
}

/** A TCP proxy in front of Postgres that knows enough of the protocol to cut at the worst moment. */
export async function startWireProxy(t: Test, target: number, port = 0): Promise<WireProxy> {
  const sockets = new Set<Socket>()
  const state = {
    text: '',
    cut: 'never' as Cut,
    left: 0,
    words: undefined as LastWords | undefined,
    isSilent: false,
    delay: 0
  }
  const track = (socket: Socket): Socket => {
    sockets.add(socket.on('error', () => undefined))
    return socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer({ noDelay: true }, client => {
    proxy.connections += 1
    const upstream = track(connect({ port: target, host: '127.0.0.1', noDelay: true }))
    track(client)
    let isCut = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    const hangUp = (): void => {
      if (state.words === undefined) end()
      else client.end(errorResponse(state.words))
    }
    client.on('close', end)
    upstream.on('close', () => {
      if (!isCut) end()
    })
    client.on('data', data => {
      if (state.isSilent) return
      const isWatched = state.left > 0 && data.includes(state.text)
      if (!isWatched) {
        upstream.write(data)
        return
      }
      state.left -= 1
      if (state.cut === 'before it arrives') hangUp()
      else {
        // The answer says that it was done; nobody hears it.
        isCut = true
        upstream.write(data)
      }
    })
    upstream.on('data', data => {
      if (isCut) hangUp()
      else if (state.isSilent) return
      else if (state.delay === 0) client.write(data)
      else setTimeout(() => client.write(data), state.delay)
    })
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const proxy: WireProxy = {
    port: (server.address() as AddressInfo).port,
    connections: 0,
    watch: (text, cut, times = 1, words) => {
      Object.assign(state, { text, cut, left: times, words })
    },
    silence: isSilent => {
      state.isSilent = isSilent
    },
    delay: milliseconds => {
      state.delay = milliseconds
    }
  }
  return proxy
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ERRORRESPONSE */
function errorResponse({ severity, code }: LastWords): Buffer {
  const fields = Buffer.from(`S${severity}\0V${severity}\0C${code}\0Mgoing away\0\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(4 + fields.length, 1)
  return Buffer.concat([head, fields])
}

/** The address of the same database through a proxy. */
export function through(url: string, { port }: Pick<WireProxy, 'port'>): string {
  return Object.assign(new URL(url), { port: String(port) }).href
}
