import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { PRELOAD, startPeer } from '../peer.js'
import { seededRandom } from '../random.js'
import { openSocket, type Protocol } from '../tracker/socket.js'
import type { Report } from './counts/books.js'

interface Service {
  readonly url: string
  /** What was executed and what was counted, once nothing is executed any more. */
  readonly report: () => Promise<Report>
}

async function start(t: Test, JIT: string): Promise<Service> {
  const peer = await startPeer(t, new URL('./counts/service.ts', import.meta.url), {
    preload: [PRELOAD],
    environment: { JIT }
  })
  const port = await peer.ask<number>('port')
  return { url: `http://127.0.0.1:${port}/graphql`, report: () => peer.ask<Report>('report') }
}

const post = async (url: string, body: unknown): Promise<unknown> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  return response.json()
}

/** Runs `count` times `work`, `atOnce` at a time. */
async function load(count: number, atOnce: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await work(next)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const documents = [
  'query Items { items(count: 3) { name parent { name loaded } loaded } }',
  'query Item { item(id: 7) { id name } sync }',
  'query Fails { fails sync other: fails }',
  'query Aliases { constructor: sync __proto__: item(id: 1) { toString: name } hasOwnProperty: items(count: 1) { loaded } }',
  'mutation Rename { rename(id: 1) { name } again: rename(id: 2) { parent { id } } }',
  'query Slow { slow(wait: 8) { name parent { loaded } } }'
]

for (const JIT of ['0', '1']) {
  const engine = JIT === '0' ? 'graphql-js' : 'graphql-jit'

  test(`${engine}: each operation of a batch is counted, with 50 batches in flight`, async t => {
    const { url, report } = await start(t, JIT)
    const random = seededRandom(11)
    let sent = 0
    await load(200, 50, async () => {
      const batch = Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({
        query: documents[Math.floor(random() * documents.length)]
      }))
      sent += batch.length
      // What is no query is not executed; what comes with it is.
      await post(url, random() < 0.2 ? [...batch, { query: 'query Invalid { nope }' }, { query: '{' }] : batch)
    })
    const { executed, counted } = await report()
    t.strictSame(counted, executed, 'counted as executed')
    t.equal(total(executed.operations), sent, 'all that was valid was executed')
    t.equal(Object.keys(executed.operations).length, documents.length)
  })

  test(`${engine}: what is executed for clients that went away is counted, with 50 requests in flight`, async t => {
    const { url, report } = await start(t, JIT)
    const random = seededRandom(12)
    await load(400, 50, async index => {
      const query = documents[index % documents.length] ?? ''
      if (index % 4 === 0) await post(url, { query })
      else await sendAndLeave(url, JSON.stringify({ query }), random() < 0.2, random() * 12)
    })
    const { executed, counted } = await report()
    t.strictSame(counted, executed, 'counted as executed')
    t.ok(total(executed.operations) > 100, `${total(executed.operations)} were executed`)
    t.ok(total(executed.operations) < 400, 'and not all')
  })

  test(`${engine}: each event of each subscription is counted as an operation, with 50 subscriptions`, async t => {
    const { url, report } = await start(t, JIT)
    const events = 12
    const subscriptions = [
      'subscription Plain { ticked { at } }',
      'subscription Labels { ticked { label item { name parent { id } } } }',
      'subscription Loaded { ticked { item { loaded } } }',
      'subscription Failing { ticked { label fails } }',
      'subscription Odd { odd { label } }'
    ]
    const protocols: Protocol[] = ['graphql-ws', 'graphql-transport-ws']
    const sockets = await Promise.all(
      Array.from({ length: 10 }, (_, index) => openSocket(t, url, protocols[index % 2]))
    )
    for (const [index, socket] of sockets.entries()) {
      const type = index % 2 === 0 ? 'start' : 'subscribe'
      for (const [id, query] of subscriptions.entries()) socket.send({ id: String(id), type, payload: { query } })
      // A query over the same socket is answered after the subscriptions before it have begun.
      socket.send({ id: 'query', type, payload: { query: 'query Over { sync items(count: 1) { name } }' } })
      while ((await socket.next())?.id !== 'query') continue
    }
    await post(url, { query: `mutation Publish { publish(count: ${events}) }` })
    for (const socket of sockets) await received(socket, 5 * events)

    // One leaves in the middle of what follows, one stops listening to one of its subscriptions.
    const publishing = post(url, { query: `mutation Publish { publish(count: ${events}) }` })
    sockets[0]?.close()
    sockets[1]?.send({ id: '1', type: 'complete' })
    await publishing
    const { executed, counted } = await report()
    t.strictSame(counted, executed, 'counted as executed')
    t.ok((executed.operations.Labels?.[0] ?? 0) > 10 * events)
    t.strictSame(executed.operations.Over, [10, 0])
    t.strictSame(executed.operations.Publish, [2, 0])
  })
}

function total(counts: Record<string, readonly [number, number]>): number {
  return Object.values(counts).reduce((sum, [count]) => sum + count, 0)
}

/** Sends a request, or half of one, and goes away after `milliseconds`. */
async function sendAndLeave(url: string, body: string, half: boolean, milliseconds: number): Promise<void> {
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const sent = request(url, { method: 'POST', agent: false, headers })
  sent.on('error', () => undefined)
  if (half) sent.write(body.slice(0, 20))
  else sent.end(body)
  await once(sent, 'socket')
  await delay(milliseconds)
  sent.destroy()
}

async function received(
  socket: { next: () => Promise<{ readonly type: string } | undefined> },
  count: number
): Promise<void> {
  for (let seen = 0; seen < count;) {
    const message = await socket.next()
    if (message === undefined) return
    if (message.type === 'data' || message.type === 'next') seen += 1
  }
}
