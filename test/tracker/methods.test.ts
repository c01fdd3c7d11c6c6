/** What a request may do by its method, and which operation of its document it runs. */
import { test } from 'tap'
import { openSocket } from './socket.js'
import { codesOf, get, post, startTracker } from './tracker.js'

const rename = (title: string): string =>
  `mutation Rename { updateIssue(id: 1, input: { title: "${title}" }) { title } }`
const read = 'query Read { issue(id: 1) { title } }'

test('HEAD executes nothing', async t => {
  const { ask, url } = await startTracker(t)
  const head = (address: string): Promise<Response> =>
    fetch(address, { method: 'HEAD', headers: { 'mercurius-require-preflight': '1' } })
  const { data } = await ask(read)
  for (const query of [rename('by HEAD'), '{ __typename }']) {
    t.equal((await head(`${url}?${new URLSearchParams({ query }).toString()}`)).status, 404)
  }
  t.same((await ask(read)).data, data)
  for (const path of ['health', 'graphiql']) t.equal((await head(url.replace('graphql', path))).status, 200, path)
})

test('of a document with several operations the one that is named runs', async t => {
  const { url } = await startTracker(t)
  const query = `${rename('by name')} ${read}`
  for (let round = 0; round < 3; round++) {
    const renamed = await post(url, { query, operationName: 'Rename' })
    t.match(renamed, { status: 200, data: { updateIssue: { title: 'by name' } } })
    t.match(await get(url, { query, operationName: 'Read' }), { status: 200, data: { issue: { title: 'by name' } } })
  }
})

test('graphql-jit would run the one that it has compiled, so there such a document is refused', async t => {
  const { ask, url } = await startTracker(t, { jit: 1 })
  const query = `${rename('by graphql-jit')} ${read}`
  const refused = { status: 400, errors: [{ message: /more than one operation; with graphql-jit/ }] }
  for (let round = 0; round < 3; round++) {
    for (const operationName of ['Rename', 'Read', undefined])
      t.match(await post(url, { query, operationName }), refused)
    const answer = await get(url, { query, operationName: 'Read' })
    t.match(answer, refused)
    t.same(codesOf(answer), ['TOO_MANY_OPERATIONS'])
  }
  const socket = await openSocket(t, url)
  const subscription = 'subscription Listen { commentAdded(issueId: 1) { id } }'
  const answer = await socket.subscribe({ query: `${subscription} ${read}`, operationName: 'Listen' })
  t.same(codesOf({ errors: answer?.payload as never }), ['TOO_MANY_OPERATIONS'])

  for (let round = 0; round < 4; round++) {
    const title = `round ${round}`
    t.match(await ask(rename(title)), { data: { updateIssue: { title } } })
    t.match(await ask(`${read} fragment Unused on Issue { id }`), { status: 400 })
    t.match(await ask(read), { data: { issue: { title } } })
  }
})
