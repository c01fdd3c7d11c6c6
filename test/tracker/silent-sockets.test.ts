import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { WebSocket } from 'ws'
import { socketLimits } from '../../dist/tracker/limits.js'
import { openSocket, type Protocol } from './socket.js'
import { startTracker } from './tracker.js'

const document = 'subscription { commentAdded(issueId: 5) { body } }'
const addComment = 'mutation { addComment(input: { issueId: 5, authorId: 1, body: "still here" }) { id } }'
const protocols: Protocol[] = ['graphql-ws', 'graphql-transport-ws']

test('WebSockets whose clients are gone are freed, and the others are not', { timeout: 60_000 }, async t => {
  const { ask, url } = await startTracker(t, { sockets: { ...socketLimits, most: 2, ping: 300 } })
  for (const protocol of protocols) {
    t.test(protocol, async t => {
      const gone = await openSocket(t, url, protocol, { autoPong: false })
      const there = await openSocket(t, url, protocol)
      for (const socket of [gone, there]) {
        socket.send({ id: 'a', type: protocol === 'graphql-ws' ? 'start' : 'subscribe', payload: { query: document } })
      }
      t.equal(await gone.closed(), 1006, 'one that answers no ping is cut')
      // Longer than it takes to miss one.
      await delay(1_000)
      await ask(addComment)
      t.match(await there.next(), { payload: { data: { commentAdded: { body: 'still here' } } } })
      const next = await openSocket(t, url, protocol)
      for (const socket of [there, next]) {
        socket.close()
        await socket.closed()
      }
    })
  }
})

test('a WebSocket that never says connection_init is closed', { timeout: 60_000 }, async t => {
  const { url } = await startTracker(t, { sockets: { ...socketLimits, initialisation: 300 } })
  for (const protocol of protocols) {
    const there = await openSocket(t, url, protocol)
    const silent = await open(t, url, protocol)
    const [code] = (await once(silent, 'close')) as [number]
    t.equal(code, 4408, protocol)
    if (protocol === 'graphql-ws') continue
    there.send({ type: 'ping' })
    t.match(await there.next(), { type: 'pong' }, 'one that has said it lives on')
  }
})

test('there are only so many WebSockets at once', { timeout: 60_000 }, async t => {
  const { ask, url } = await startTracker(t, { sockets: { ...socketLimits, most: 2 } })
  const sockets = [await openSocket(t, url), await openSocket(t, url)]
  const refused = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
  t.match(await once(refused, 'error'), [{ message: /503/ }])
  t.match(await ask('{ labels { id } }'), { status: 200 }, 'HTTP is served all the same')
  sockets[0]?.close()
  await sockets[0]?.closed()
  await openSocket(t, url)
})

test('a client that is gone does not hold up the stop', { timeout: 15_000 }, async t => {
  const { app, url } = await startTracker(t)
  const there = await openSocket(t, url)
  const { hostname, port, host } = new URL(url)
  // It reads no more than the answer to its handshake, and says nothing ever after.
  const gone = connect(Number(port), hostname)
  t.teardown(() => gone.destroy())
  const headers = ['upgrade: websocket', 'connection: upgrade', 'sec-websocket-version: 13']
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='
  const lines = ['GET /graphql HTTP/1.1', `host: ${host}`, ...headers, key, 'sec-websocket-protocol: graphql-ws']
  gone.write(`${lines.join('\r\n')}\r\n\r\n`)
  const [answer] = (await once(gone, 'data')) as [Buffer]
  t.match(answer.toString(), '101 Switching Protocols')
  gone.pause()
  await app.close()
  t.equal(await there.closed(), 1005, 'the others are told')
})

async function open(t: Test, url: string, protocol: Protocol): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocol)
  t.teardown(() => {
    socket.terminate()
  })
  await once(socket, 'open')
  return socket
}
