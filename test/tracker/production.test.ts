import { getIntrospectionQuery } from 'graphql'
import { test } from 'tap'
import { seed } from '../../dist/tracker/seed.js'
import { welcome } from '../../dist/tracker/welcome.js'
import { openSocket } from './socket.js'
import { codesOf, startTracker } from './tracker.js'

test('outside production GraphiQL and introspection are on', async t => {
  const { ask, url } = await startTracker(t)
  t.equal((await fetch(url.replace('graphql', 'graphiql'))).status, 200)
  const { data } = await ask(getIntrospectionQuery())
  t.match(data, { __schema: { queryType: { name: 'Query' } } })
  t.match((await ask('{ isue(id: 1) { id } }')).errors, [{ message: /Did you mean "issue"/ }])
})

test('in production nothing tells about the schema', async t => {
  const { ask, url } = await startTracker(t, { production: true })
  t.equal((await fetch(url.replace('graphql', 'graphiql'))).status, 404)
  for (const query of [
    getIntrospectionQuery(),
    '{ __schema { types { name } } }',
    '{ __type(name: "Issue") { name } }'
  ]) {
    const answer = await ask(query)
    t.equal(answer.status, 400)
    t.ok(codesOf(answer).every(code => code === 'GRAPHQL_VALIDATION_FAILED'))
  }
  t.match(await ask('{ __typename }'), { status: 200, data: { __typename: 'Query' } })
  t.notMatch(JSON.stringify(await ask('{ isue(id: 1) { titel } }')), /Did you mean/)
  t.notMatch(JSON.stringify(await ask('{ issue(idd: 1) { titel } }')), /Did you mean/)

  const socket = await openSocket(t, url)
  const answers = [
    await socket.subscribe({ query: 'subscription { commentAdded(issueId: 1) { issue { project { nam } } } }' }),
    await socket.subscribe({ query: 'subscription { commentAdded(issueId: 1) { id } __schema { types { name } } }' })
  ]
  t.match(answers, [{ type: 'error' }, { type: 'error' }])
  t.notMatch(JSON.stringify(answers), /Did you mean/)
})

test('a production database is never seeded', async t => {
  t.intercept(process, 'env', { value: { ...process.env, NODE_ENV: 'production' } })
  await t.rejects(seed('postgres://127.0.0.1:1/never'), { message: /not for production/ })
})

test('the welcome never shows a token that was given, and none in production', async t => {
  t.intercept(process, 'env', { value: { ...process.env, PERFORMANCE_ADMIN_TOKEN: 'canary-token' } })
  const url = 'http://127.0.0.1:4000'
  t.notMatch(welcome({ url, production: true, tokenIsGiven: true }), 'canary-token')
  t.notMatch(welcome({ url, production: true, tokenIsGiven: false }), /canary-token|curl|GraphiQL/)
  t.notMatch(welcome({ url, production: false, tokenIsGiven: true }), 'canary-token')
  t.match(welcome({ url, production: false, tokenIsGiven: false }), 'Bearer canary-token')
})
