import { EventEmitter } from 'node:events'
import type { CommentRow } from './comments.js'

/** What a subscription delivers: the root value of its selection. */
export interface CommentAdded {
  readonly commentAdded: CommentRow
}

/** Carries new comments to the subscriptions of this process; other instances have feeds of their own. */
export interface CommentFeed {
  publish(comment: CommentRow): void
  subscribe(issueId: number): AsyncIterableIterator<CommentAdded>
}

/** A client that reads slower than this many comments behind has its subscription ended, so that memory stays bounded. */
const MOST_UNREAD = 100

export function createCommentFeed(): CommentFeed {
  // One listener a subscription; how many there can be is limited by the sockets.
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    publish: comment => {
      emitter.emit(String(comment.issueId), { commentAdded: comment })
    },
    subscribe: issueId => new FeedIterator(emitter, String(issueId))
  }
}

/** Not a generator: `return()` on a generator that waits for its next event would itself wait for that event. */
class FeedIterator implements AsyncIterableIterator<CommentAdded> {
  readonly #emitter: EventEmitter
  readonly #topic: string
  readonly #unread: CommentAdded[] = []
  #waiting: ((result: IteratorResult<CommentAdded>) => void) | undefined
  #ended = false

  constructor(emitter: EventEmitter, topic: string) {
    this.#emitter = emitter
    this.#topic = topic
    emitter.on(topic, this.#receive)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<CommentAdded>> {
    const value = this.#unread.shift()
    if (value !== undefined) return Promise.resolve({ value, done: false })
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise(resolve => {
      this.#waiting = resolve
    })
  }

  return(): Promise<IteratorResult<CommentAdded>> {
    this.#end()
    this.#unread.length = 0
    return Promise.resolve({ value: undefined, done: true })
  }

  readonly #receive = (event: CommentAdded): void => {
    if (this.#waiting !== undefined) this.#deliver({ value: event, done: false })
    else if (this.#unread.push(event) >= MOST_UNREAD) this.#end()
  }

  #end(): void {
    this.#ended = true
    this.#emitter.off(this.#topic, this.#receive)
    this.#deliver({ value: undefined, done: true })
  }

  #deliver(result: IteratorResult<CommentAdded>): void {
    this.#waiting?.(result)
    this.#waiting = undefined
  }
}
