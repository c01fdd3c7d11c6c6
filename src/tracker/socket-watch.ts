import type { EventEmitter } from 'node:events'

/** Milliseconds that clients have to say goodbye when the server stops. */
const FAREWELL = 1_000

/** The part of a `ws` WebSocket that tells whether its client is there. */
export interface WatchedSocket extends EventEmitter {
  ping(): void
  terminate(): void
}

/** Frees what WebSockets hold whose clients are gone without a word, and bounds how many there are. */
export interface SocketWatch {
  readonly isFull: boolean
  add(socket: WatchedSocket): void
  /** To be called when the server stops, which waits for its last socket. */
  stop(): void
}

/** Every `ping` milliseconds each of at most `most` sockets is asked for a sign of life, and cut where none has come since. */
export function createSocketWatch({ most, ping }: { readonly most: number; readonly ping: number }): SocketWatch {
  /** And whether it has answered. */
  const sockets = new Map<WatchedSocket, boolean>()
  const cutAll = (): void => {
    for (const socket of sockets.keys()) socket.terminate()
  }
  const timer = setInterval(() => {
    for (const [socket, hasAnswered] of sockets) {
      sockets.set(socket, false)
      if (hasAnswered) socket.ping()
      else socket.terminate()
    }
  }, ping).unref()
  return {
    get isFull() {
      return sockets.size >= most
    },
    add: socket => {
      sockets.set(socket, true)
      socket.on('pong', () => sockets.set(socket, true))
      socket.on('close', () => sockets.delete(socket))
    },
    stop: () => {
      clearInterval(timer)
      setTimeout(cutAll, FAREWELL).unref()
    }
  }
}
