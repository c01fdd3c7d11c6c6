/** What a request may do by its method. */
import { test } from 'tap'
import { startTracker } from './tracker.js'

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
