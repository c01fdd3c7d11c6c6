import { once } from 'node:events'
import { test } from 'tap'
import { WebSocket } from 'ws'
import { createCommentFeed } from '../../dist/tracker/comment-feed.js'
import { openSocket, type Protocol, type SocketMessage, type TestSocket } from './socket.js'
import { codesOf, startTracker } from './tracker.js'

const document = 'subscription ($id: ID!) { commentAdded(issueId: $id) { body author { name } issue { id } } }'
const addComment =
  'mutation ($id: ID!, $body: String!) { addComment(input: { issueId: $id, authorId: 1, body: $body }) { id } }'

test('subscriptions', async t => {
  const { ask, url } = await startTracker(t)

  for (const protocol of ['graphql-ws', 'graphql-transport-ws'] as Protocol[]) {
    t.test(`commentAdded over ${protocol}`, async t => {
      const socket = await openSocket(t, url, protocol)
      const start = protocol === 'graphql-ws' ? 'start' : 'subscribe'
      socket.send({ id: 'a', type: start, payload: { query: document, variables: { id: '5' } } })
      await socket.next()
      await ask(addComment, { id: '6', body: 'elsewhere' })
      await ask(addComment, { id: '5', body: 'here' })
      t.match(await socket.next(), {
        id: 'a',
        payload: { data: { commentAdded: { body: 'here', author: { name: 'Ada Allen' }, issue: { id: '5' } } } }
      })

      socket.send({ id: 'a', type: start, payload: { query: document, variables: { id: '5' } } })
      t.match(await socket.next(), { type: 'error', payload: [{ message: /already running/ }] })
      socket.send({ id: 'a', type: protocol === 'graphql-ws' ? 'stop' : 'complete' })
      await ask(addComment, { id: '5', body: 'after the end' })
      t.match(await socket.next(), { id: 'a', type: 'complete' })
      t.equal(await socket.next(), undefined)
    })
  }

  t.test('what is refused has a code and no engine text, and the socket lives on', async t => {
    const socket = await openSocket(t, url)
    const cases: [payload: unknown, code: string][] = [
      [{ query: document, variables: { id: '99999' } }, 'NOT_FOUND'],
      [{ query: document, variables: {} }, 'GRAPHQL_VALIDATION_FAILED'],
      [{ query: document, variables: 'x' }, 'BAD_REQUEST'],
      [{ query: document, operationName: 'Other', variables: { id: '1' } }, 'BAD_REQUEST'],
      [{ query: 'subscription { commentAdded(issueId: 1) { nope } }' }, 'GRAPHQL_VALIDATION_FAILED'],
      [{ query: 'subscription { commentAdded' }, 'GRAPHQL_PARSE_FAILED'],
      [{ query: '{ labels { name } }' }, 'BAD_REQUEST'],
      [{ query: 'mutation { addLabelToIssue(issueId: 1, labelId: 1) { id } }' }, 'BAD_REQUEST'],
      [{}, 'BAD_REQUEST'],
      [null, 'BAD_REQUEST'],
      [undefined, 'BAD_REQUEST']
    ]
    for (const [payload, code] of cases) {
      const answer = await socket.subscribe(payload)
      t.equal(answer?.type, 'error', JSON.stringify(payload))
      t.ok(codesOf({ errors: answer?.payload as never }).includes(code), code)
      t.notMatch(JSON.stringify(answer), /TypeError|undefined|reading '/)
    }
    socket.send({
      id: 'x',
      type: 'subscribe',
      extensions: [null],
      payload: { query: document, variables: { id: '1' } }
    })
    t.match(await socket.next(), { id: 'x', type: 'error' })
    socket.send({ type: 'ping' })
    t.match(await socket.next(), { type: 'pong' })
  })

  t.test('subscriptions that fail leave room for others; running ones are limited', async t => {
    const socket = await openSocket(t, url)
    for (let round = 0; round < 60; round++) {
      const answer = await socket.subscribe({ query: document, variables: { id: '99999' } })
      t.same(codesOf({ errors: answer?.payload as never }), ['NOT_FOUND'])
    }
    for (let id = 0; id < 50; id++)
      socket.send({ id: `run ${id}`, type: 'subscribe', payload: { query: document, variables: { id: '1' } } })
    const answer = await socket.subscribe({ query: document, variables: { id: '1' } })
    t.same(codesOf({ errors: answer?.payload as never }), ['TOO_MANY_SUBSCRIPTIONS'])
  })

  for (const protocol of ['graphql-ws', 'graphql-transport-ws'] as Protocol[]) {
    t.test(`what is stopped before it has begun counts until it has ended, and ends; ${protocol}`, async t => {
      const socket = await openSocket(t, url, protocol)
      const start = (id: string): void => {
        const payload = { query: document, variables: { id: '7' } }
        socket.send({ id, type: protocol === 'graphql-ws' ? 'start' : 'subscribe', payload })
      }
      const bursts: [idOf: (round: number) => string, code: string][] = [
        [String, 'TOO_MANY_SUBSCRIPTIONS'],
        [() => 'the same', 'BAD_REQUEST']
      ]
      for (const [idOf, code] of bursts) {
        for (let round = 0; round < 60; round++) {
          start(idOf(round))
          socket.send({ id: idOf(round), type: protocol === 'graphql-ws' ? 'stop' : 'complete' })
        }
        const answers = await untilSilent(socket)
        const refusals = answers.filter(({ type }) => type === 'error')
        t.ok(refusals.length > 0 && refusals.length < 60, `${refusals.length} of 60 are refused`)
        t.ok(refusals.every(({ payload }) => codesOf({ errors: payload as never })[0] === code))
        t.equal(answers.filter(({ type }) => type === 'complete').length, 60 - refusals.length, 'the others have ended')

        await ask(addComment, { id: '7', body: 'to nobody' })
        t.same(await untilSilent(socket), [])
      }
      start('the same')
      t.same(await untilSilent(socket), [], 'an id that is free again')
      await ask(addComment, { id: '7', body: 'to one' })
      t.match(await untilSilent(socket), [{ id: 'the same', payload: { data: { commentAdded: { body: 'to one' } } } }])
    })

    t.test(`a second connection_init ends the connection; ${protocol}`, async t => {
      const socket = await openSocket(t, url, protocol)
      socket.send({ type: 'connection_init', payload: { 'x-more': 'x'.repeat(1_000) } })
      t.equal(await Promise.race([socket.closed(), socket.next()]), 4429)
    })
  }

  t.test('messages that are none end the connection', async t => {
    for (const message of [
      '{',
      '[]',
      'null',
      '5',
      '{"type":"evil"}',
      '{"type":"connection_init","payload":5}',
      `"${'x'.repeat(70_000)}"`
    ]) {
      const socket = await openSocket(t, url)
      socket.send(message)
      t.match(await socket.closed(), /^100[89]$/, message.slice(0, 40))
    }
  })

  t.test('pages of other sites may not connect', async t => {
    const stranger = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
      origin: 'https://evil.example'
    })
    const [error] = (await once(stranger, 'error')) as [Error]
    t.match(error.message, /403/)
    const own = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { origin: new URL(url).origin })
    await once(own, 'open')
    own.terminate()
  })
})

test('a feed delivers in order, ends at once, and drops who does not read', async t => {
  const feed = createCommentFeed()
  const comment = (id: number) => ({ id, issueId: 1, authorId: 1, body: '', createdAt: new Date(0) })
  const quick = feed.subscribe(1)
  const slow = feed.subscribe(1)
  const waiting = quick.next()
  feed.publish(comment(1))
  feed.publish({ ...comment(2), issueId: 2 })
  t.match(await waiting, { value: { commentAdded: { id: 1 } }, done: false })

  const unfinished = quick.next()
  await quick.return?.()
  t.match(await unfinished, { done: true }, 'a reader that waits is released')

  for (let id = 2; id <= 200; id++) feed.publish(comment(id))
  const read: number[] = []
  for await (const { commentAdded } of slow) read.push(commentAdded.id)
  t.same(
    read,
    Array.from({ length: 100 }, (_, index) => index + 1)
  )
})

async function untilSilent(socket: TestSocket): Promise<SocketMessage[]> {
  const messages: SocketMessage[] = []
  for (;;) {
    const message = await socket.next()
    if (message === undefined) return messages
    messages.push(message)
  }
}
