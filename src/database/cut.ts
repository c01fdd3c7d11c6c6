import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { context } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import type { PoolClient } from 'pg'

const PATIENCE_MILLISECONDS = 1_000

/** pg's connection: what is below a client. */
interface Connection extends EventEmitter {
  readonly stream: Socket
  connect(portOrPath: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: unknown): void
}

type ConnectionClass = new (config: { ssl: unknown; sslNegotiation: unknown }) => Connection

/** What a client of pg has besides what its types say; one of pg-native has no connection. */
interface Inside {
  readonly connection?: Connection
  readonly processID: number | null
  readonly secretKey: unknown
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly sslNegotiation: unknown
  /** Since pg 8.17. */
  readonly _activeQuery?: unknown
  /** Before; a later one warns whoever reads it. */
  readonly activeQuery: unknown
}

/**
 * Cuts the connection, as to take leave of a server that does not answer could take for ever, and asks Postgres to stop
 * what runs on it: it would go on without a caller, and hold its locks and one connection more than the pool may have.
 */
export function cut(client: PoolClient): void {
  const inside = client as unknown as Inside
  const isRunning = ('_activeQuery' in inside ? inside._activeQuery : inside.activeQuery) != null
  client.release(true)
  inside.connection?.stream.destroy()
  if (isRunning) context.with(suppressTracing(context.active()), cancel, undefined, inside)
}

/**
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 * Nobody answers, and nobody waits: where it does not arrive, Postgres finds out by itself.
 */
function cancel({ connection, processID, secretKey, host, port, ssl, sslNegotiation }: Inside): void {
  if (connection === undefined || processID === null) return
  const errand = new (connection.constructor as ConnectionClass)({ ssl, sslNegotiation })
  const { stream } = errand
  const patience = setTimeout(() => stream.destroy(), PATIENCE_MILLISECONDS).unref()
  const send = (): void => {
    errand.cancel(processID, secretKey)
  }
  errand.on('error', () => stream.destroy())
  stream.on('close', () => {
    clearTimeout(patience)
  })
  errand.on('connect', () => {
    if (!ssl) send()
    else if (sslNegotiation !== 'direct') errand.requestSsl()
  })
  errand.on('sslconnect', send)
  if (host.startsWith('/')) errand.connect(`${host}/.s.PGSQL.${port}`)
  else errand.connect(port, host)
  stream.unref()
}
