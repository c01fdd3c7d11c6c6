import { EventEmitter } from 'node:events'
import type { GraphQLError, GraphQLFormattedError } from 'graphql'
import { internalError, TrackerError } from './errors.js'
import { BODY_LIMIT } from './limits.js'
import { isHeaders, readMessage, type ClientMessage } from './socket-messages.js'

/** The most subscriptions of one socket. */
const MOST_SUBSCRIPTIONS = 50

/** Close codes of RFC 6455, and those of graphql-transport-ws. */
const POLICY_VIOLATION = 1008
const MESSAGE_TOO_BIG = 1009
const INITIALISATION_TIMEOUT = 4408
const TOO_MANY_INITIALISATION_REQUESTS = 4429

/** The part of a `ws` WebSocket that Mercurius uses. */
export interface Socket extends EventEmitter {
  readonly protocol: string
  readonly readyState: number
  send(text: string, done?: (error?: Error) => void): void
  close(code?: number, reason?: string): void
}

/** What is wrong with a message that starts a subscription; empty where nothing is. */
export type CheckSubscription = (message: ClientMessage) => readonly GraphQLError[]

/** The names of the message that starts a subscription and of the one that stops it. */
const startType: Readonly<Record<string, string>> = { 'graphql-ws': 'start', 'graphql-transport-ws': 'subscribe' }
const stopType: Readonly<Record<string, string>> = { 'graphql-ws': 'stop', 'graphql-transport-ws': 'complete' }
const otherTypes = new Set<unknown>(['connection_terminate', 'ping', 'pong', 'ka'])

/**
 * Stands between a WebSocket and Mercurius, which validates nothing that comes over one: only messages that passed
 * `check` go in, and no error text but coded ones goes out.
 */
export class GuardedSocket extends EventEmitter {
  readonly #socket: Socket
  readonly #check: CheckSubscription
  /** The ids that Mercurius may still have something for, so those too whose end it has not told yet. */
  readonly #subscriptions = new Set<unknown>()
  /** Until the client has sent its `connection_init`. */
  readonly #initialisation: NodeJS.Timeout
  #isInitialised = false

  /** `initialisation` is in milliseconds. */
  constructor(socket: Socket, check: CheckSubscription, initialisation: number) {
    super()
    this.#socket = socket
    this.#check = check
    this.#initialisation = setTimeout(() => {
      this.#drop(INITIALISATION_TIMEOUT, 'connection initialisation timeout')
    }, initialisation).unref()
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.#admit(data)) this.emit('message', data, isBinary)
    })
    socket.on('close', (code: number, reason: Buffer) => {
      clearTimeout(this.#initialisation)
      this.emit('close', code, reason)
    })
    socket.on('error', (error: Error) => this.listenerCount('error') > 0 && this.emit('error', error))
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  get readyState(): number {
    return this.#socket.readyState
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason)
  }

  send(text: string, done?: (error?: Error) => void): void {
    const isError = text.startsWith('{"type":"error"')
    const isEnd = isError || text.startsWith('{"type":"complete"')
    this.#socket.send(isError ? maskErrors(text) : text, error => {
      // First, since Mercurius then ends whatever has this id.
      done?.(error)
      if (isEnd) this.#release((JSON.parse(text) as ClientMessage).id)
    })
  }

  #admit(data: Buffer): boolean {
    if (data.length > BODY_LIMIT) return this.#drop(MESSAGE_TOO_BIG, 'message too big')
    const message = readMessage(data.toString())
    if (message === undefined) return this.#drop(POLICY_VIOLATION, 'expected a JSON object')
    const { type, id, payload } = message
    if (type === startType[this.protocol]) return this.#admitSubscription(message)
    // The id stays taken: Mercurius does not wait for the start before it handles the stop.
    if (type === stopType[this.protocol]) return this.#subscriptions.has(id)
    if (type === 'connection_init') return this.#admitHeaders(payload)
    return otherTypes.has(type) || this.#drop(POLICY_VIOLATION, 'unknown type of message')
  }

  /** Once: Mercurius adds the headers of each to those of the request, where they would pile up. */
  #admitHeaders(payload: unknown): boolean {
    if (!isHeaders(payload)) return this.#drop(POLICY_VIOLATION, 'expected headers')
    if (this.#isInitialised) return this.#drop(TOO_MANY_INITIALISATION_REQUESTS, 'too many initialisation requests')
    this.#isInitialised = true
    clearTimeout(this.#initialisation)
    return true
  }

  #admitSubscription(message: ClientMessage): boolean {
    const errors = this.#countSubscription(message.id) ?? this.#check(message)
    if (errors.length === 0) {
      this.#subscriptions.add(message.id)
      return true
    }
    const payload = errors.map(error => error.toJSON())
    this.#socket.send(JSON.stringify({ type: 'error', id: message.id, payload }))
    return false
  }

  #countSubscription(id: unknown): GraphQLError[] | undefined {
    // Mercurius would lose sight of the subscription that already has this id, and never end it.
    if (this.#subscriptions.has(id))
      return [new TrackerError('BAD_REQUEST', 'id: this subscription is already running')]
    if (this.#subscriptions.size < MOST_SUBSCRIPTIONS) return undefined
    return [new TrackerError('TOO_MANY_SUBSCRIPTIONS', `more than ${MOST_SUBSCRIPTIONS} subscriptions`)]
  }

  /** Mercurius keeps what it made for a subscription that failed until the client stops it, which clients do not. */
  #release(id: unknown): void {
    if (!this.#subscriptions.delete(id)) return
    const stop = JSON.stringify({ type: stopType[this.protocol], id })
    this.emit('message', Buffer.from(stop), false)
  }

  #drop(code: number, reason: string): false {
    this.#socket.close(code, reason)
    return false
  }
}

/** What Mercurius sends as an error may be any text that was thrown; without a code it is none of ours. */
function maskErrors(text: string): string {
  const message = JSON.parse(text) as { id: unknown; payload: readonly GraphQLFormattedError[] }
  const payload = message.payload.map(error => (error.extensions?.code === undefined ? internalError() : error))
  return JSON.stringify({ ...message, type: 'error', payload })
}
