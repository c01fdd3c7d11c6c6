import { setTimeout } from 'node:timers/promises'
import { test } from 'tap'
import { NO_POSTGRES, startPostgres } from '../postgres.js'
import { run } from './process.js'
import { codesOf, post } from './tracker.js'

const LOOKUP = '{ issue(id: 1) { title comments(first: 2) { body author { name } } } }'

test('Postgres goes away and comes back while requests run', { timeout: 60_000 }, async t => {
  const server = await startPostgres()
  if (server === null) {
    t.plan(0, NO_POSTGRES)
    return
  }
  t.teardown(() => server.close())
  const tracker = run(t, 'main.js', [], { PORT: '0', DATABASE_URL: server.url })
  const printed = await tracker.printed(/-d '.*'\n/)
  const [url = ''] = /http:\S+\/graphql/.exec(printed) ?? []

  const seen = new Map<string, number>()
  let stopped = false
  const ask = async (): Promise<void> => {
    while (!stopped) {
      const answer = await post(url, { query: LOOKUP })
      const outcome = `${answer.status} ${[...new Set(codesOf(answer))].join() || 'ok'}`
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: 8 }, ask)
  const ways: [name: string, end: () => Promise<void>][] = [
    ['immediate stop', () => server.stop('immediate')],
    ['SIGKILL', () => server.kill()],
    ['fast stop', () => server.stop('fast')]
  ]
  for (const [name, end] of ways) {
    await setTimeout(300)
    await end()
    await setTimeout(300)
    const answer = await post(url, { query: LOOKUP })
    t.same(codesOf(answer), ['INTERNAL_SERVER_ERROR'], `${name}: masked`)
    t.match(await post(url, { query: '{ __typename }' }), { status: 200, data: { __typename: 'Query' } })
    t.equal((await fetch(url.replace('graphql', 'health'))).status, 200)
    t.equal((await fetch(url.replace('graphql', 'health/ready'))).status, 503)
    await server.start()
    const back = performance.now()
    while (codesOf(await post(url, { query: LOOKUP })).length > 0) await setTimeout(20)
    t.ok(performance.now() - back < 2_000, `${name}: recovers within two seconds`)
  }
  stopped = true
  await Promise.all(clients)
  t.same([...seen.keys()].sort(), ['200 INTERNAL_SERVER_ERROR', '200 ok'])
  t.equal(tracker.child.exitCode, null, 'the process lives')
  t.notMatch(tracker.output(), 'hunter2')
})
