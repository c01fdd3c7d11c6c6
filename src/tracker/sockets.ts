import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { SocketLimits } from './limits.js'
import { GuardedSocket, type CheckSubscription, type Socket } from './socket-guard.js'
import { createSocketWatch, type WatchedSocket } from './socket-watch.js'

type Handler = (socket: Socket, request: unknown) => unknown

/** Decides about a handshake; a refusal has the status that is given. */
type VerifyClient = (
  handshake: { readonly origin: string; readonly req: IncomingMessage },
  next: (isAdmitted: boolean, status: number) => void
) => void

/**
 * Guards the WebSockets of Mercurius and watches over them. Must come before Mercurius, whose route it wraps, and whose
 * `verifyClient` is to be what it returns.
 */
export function guardSockets(app: FastifyInstance, check: CheckSubscription, limits: SocketLimits): VerifyClient {
  const watch = createSocketWatch(limits)
  // Before the server begins to wait for its sockets.
  app.addHook('preClose', done => {
    watch.stop()
    done()
  })
  app.addHook('onRoute', options => {
    const route = options as { wsHandler?: Handler }
    const handler = route.wsHandler
    if (handler === undefined) return
    route.wsHandler = (socket, request) => {
      watch.add(socket as Socket & WatchedSocket)
      return handler(new GuardedSocket(socket, check, limits.initialisation), request)
    }
  })
  return ({ origin, req }, next) => {
    if (watch.isFull) next(false, 503)
    else next(isSameOrigin(origin, req.headers.host), 403)
  }
}

/** Programs send no Origin; browsers always do, and pages of other sites may not listen in. */
function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
}
