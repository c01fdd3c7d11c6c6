/** Resolvers that send SQL in every way there is; each statement says in a comment who sent it. */
import type { GraphQLResolveInfo } from 'graphql'
import { EventEmitter } from 'node:events'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type pg from 'pg'
import { senderOf, signed, type Sender } from './sender.js'

export interface RequestContext {
  /** Started by the first resolver of the operation that needs it. */
  shared?: Promise<string>
  /** The name of the operation, for those who are not told it. */
  operation: string
}

type Resolver = (source: Source, args: Args, context: RequestContext, info: GraphQLResolveInfo) => unknown

interface Source {
  readonly id: number
}

interface Args {
  readonly count?: number
}

/** The same with a different length of wait each time, so that operations overtake one another. */
const pause = (): Promise<void> => delay(Math.random() * 4)

/** Started by whoever comes first, of whatever operation, and awaited by all that come while it runs. */
let global: Promise<string> | undefined

export function createResolvers(
  pool: pg.Pool,
  execute: (query: string, context: object) => Promise<unknown>
): Record<string, Record<string, Resolver>> {
  const query = async (sender: Sender, text = 'SELECT $1::text AS value'): Promise<string> => {
    const { rows } = await pool.query<{ value: string }>(signed(text, sender), ['v'])
    return rows[0]?.value ?? 'none'
  }

  const plain: Record<string, Resolver> = {
    direct: (_source, _args, _context, info) => query(senderOf(info)),

    awaited: async (_source, _args, _context, info) => {
      await pause()
      const first = await query(senderOf(info))
      await turn()
      return first + (await query(senderOf(info)))
    },

    timer: (_source, _args, _context, info) =>
      new Promise((resolve, reject) => {
        setTimeout(() => {
          query(senderOf(info)).then(resolve, reject)
        }, Math.random() * 4)
      }),

    turns: async (_source, _args, _context, info) => {
      const sender = senderOf(info)
      const ways: ((callback: () => void) => void)[] = [
        queueMicrotask,
        callback => {
          process.nextTick(callback)
        },
        setImmediate
      ]
      const sending = ways.map(
        later =>
          new Promise((resolve, reject) => {
            later(() => {
              query(sender).then(resolve, reject)
            })
          })
      )
      return (await Promise.all(sending)).join()
    },

    together: async (_source, _args, _context, info) =>
      (await Promise.all([query(senderOf(info)), query(senderOf(info)), pause()])).join(),

    generated: async (_source, _args, _context, info) => {
      const pages = async function* (): AsyncGenerator<string> {
        for (let page = 0; page < 3; page += 1) yield await query(senderOf(info))
      }
      let all = ''
      for await (const page of pages()) all += page
      return all
    },

    refused: async (_source, _args, _context, info) => {
      await pause()
      return query(senderOf(info), 'SELECT $1::text AS value, 1 / 0')
    }
  }

  const withCallbacks: Record<string, Resolver> = {
    callback: (_source, _args, _context, info) =>
      new Promise((resolve, reject) => {
        const sender = senderOf(info)
        pool.query(signed('SELECT 1', sender), (error: Error | undefined) => {
          if (error) reject(error)
          else query(sender).then(resolve, reject)
        })
      }),

    checkedOut: (_source, _args, _context, info) =>
      new Promise((resolve, reject) => {
        const sender = senderOf(info)
        pool.connect((connecting, client, release) => {
          if (connecting || client === undefined) {
            reject(connecting ?? new Error('no client'))
            return
          }
          client.query(signed('SELECT $1::text', sender), ['v'], (error: Error | undefined) => {
            release()
            if (error) reject(error)
            else query(sender).then(resolve, reject)
          })
        })
      }),

    emitted: (_source, _args, _context, info) =>
      new Promise((resolve, reject) => {
        const emitter = new EventEmitter()
        emitter.once('ready', () => {
          query(senderOf(info)).then(resolve, reject)
        })
        setImmediate(() => emitter.emit('ready'))
      }),

    promisified: (_source, _args, _context, info) =>
      promisify((done: (error: Error | null, value?: string) => void) => {
        query(senderOf(info)).then(
          value => {
            done(null, value)
          },
          (error: unknown) => {
            done(error as Error)
          }
        )
      })()
  }

  const transaction =
    (last: 'COMMIT' | 'ROLLBACK'): Resolver =>
    async (_source, _args, _context, info) => {
      const sender = senderOf(info)
      const client = await pool.connect()
      try {
        await client.query(signed('BEGIN', sender))
        await pause()
        const { rowCount } = await client.query(signed('SELECT $1::text', sender), ['v'])
        await client.query(signed(last, sender))
        return String(rowCount)
      } finally {
        client.release()
      }
    }

  const shared: Record<string, Resolver> = {
    first: (_source, _args, context, info) =>
      (context.shared ??= plain.awaited?.(...args(context, info)) as Promise<string>),
    second: async (_source, _args, context, info) => {
      const value = await (context.shared ??= query(senderOf(info)))
      return value + (await query(senderOf(info)))
    },
    global: async (_source, _args, _context, info) => {
      global ??= query(senderOf(info)).finally(() => {
        global = undefined
      })
      return (await global) + (await query(senderOf(info)))
    }
  }

  return {
    Query: {
      ...plain,
      ...withCallbacks,
      ...shared,
      committed: transaction('COMMIT'),
      rolledBack: transaction('ROLLBACK'),
      items: async (_source, { count = 2 }, _context, info) => {
        await query(senderOf(info))
        return Array.from({ length: count }, (_item, id) => ({ id }))
      },
      nested: async (_source, _args, _context, info) => {
        await query(senderOf(info))
        await execute('query Inner { direct awaited items(count: 1) { parent { id } } }', {})
        return query(senderOf(info))
      }
    },
    Mutation: { ...plain, committed: transaction('COMMIT') },
    Item: {
      name: ({ id }) => `item ${id}`,
      text: (_source, _args, _context, info) => query(senderOf(info)),
      parent: async ({ id }, _args, _context, info) => {
        await pause()
        await query(senderOf(info))
        return { id: id + 10 }
      },
      shared: (source, given, context, info) => shared.second?.(source, given, context, info)
    }
  }
}

function args(context: RequestContext, info: GraphQLResolveInfo): [Source, Args, RequestContext, GraphQLResolveInfo] {
  return [{ id: 0 }, {}, context, info]
}
