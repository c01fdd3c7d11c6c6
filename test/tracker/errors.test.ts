import { PassThrough } from 'node:stream'
import { PerformanceError } from 'mercurius-performance'
import pg from 'pg'
import { test, type Test } from 'tap'
import { openSocket } from './socket.js'
import { codesOf, serve, type RunningTracker } from './tracker.js'

const SECRET = 'canary-4711'

/** A pool whose every query fails with `error`. */
function failingPool(error: Error): pg.Pool {
  const pool = new pg.Pool()
  pool.query = () => Promise.reject(error) as never
  return pool
}

async function serveFailing(t: Test, error: Error): Promise<RunningTracker & { log: () => string }> {
  const stream = new PassThrough({ encoding: 'utf8' })
  let log = ''
  stream.on('data', (chunk: string) => (log += chunk))
  const tracker = await serve(t, '', { pool: failingPool(error), logger: { level: 'info', stream } })
  return { ...tracker, log: () => log }
}

function databaseError(): Error {
  const error = new pg.DatabaseError(`invalid input syntax for type integer: "${SECRET}"`, 100, 'error')
  return Object.assign(error, { code: '22P02', detail: `Key (name)=(${SECRET}) already exists.`, where: SECRET })
}

test('faults are masked and logged without values', async t => {
  const faults = [
    databaseError(),
    new TypeError(`Cannot read ${SECRET}`),
    Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' })
  ]
  for (const fault of faults) {
    const { ask, log, url } = await serveFailing(t, fault)
    const answer = await ask('{ issue(id: 1) { id } __typename }')
    t.equal(answer.status, 200, 'partial data')
    t.match(answer.data, { issue: null, __typename: 'Query' })
    t.match(answer.errors, [
      { message: 'Internal server error', path: ['issue'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }
    ])
    t.same(codesOf(await ask('{ labels { name } }')), ['INTERNAL_SERVER_ERROR'], 'a cached field')

    const socket = await openSocket(t, url)
    const message = await socket.subscribe({ query: 'subscription { commentAdded(issueId: 1) { id } }' })
    t.match(message, { type: 'error', payload: [{ message: 'Internal server error' }] })

    t.notMatch(JSON.stringify([answer, message]), SECRET)
    t.notMatch(log(), SECRET)
    const entry = log()
      .split('\n')
      .find(line => line.includes('"path":"issue"'))
    t.match(JSON.parse(entry ?? '{}'), { level: 50, error: { name: fault.name, path: 'issue', stack: /^\s+at / } })
  }
  const { log } = await serveFailing(t, databaseError()).then(async tracker => {
    await tracker.ask('{ issue(id: 1) { id } }')
    return tracker
  })
  t.match(log(), '"code":"22P02"')
})

test('errors of the monitor pass as they are', async t => {
  const { ask } = await serve(t, '', { pool: failingPool(databaseError()), performance: { exposeMetrics: true } })
  const answer = await ask('{ _performanceMetrics { config { enabled } } }')
  t.same(codesOf(answer), ['MPERF_FORBIDDEN'])
  t.not(answer.errors?.[0]?.message, 'Internal server error')
})

test('health', async t => {
  const { url } = await serveFailing(t, databaseError())
  const health = await fetch(url.replace('graphql', 'health'))
  t.equal(health.status, 200)
  t.same(await health.json(), { status: 'ok' })
  const ready = await fetch(url.replace('graphql', 'health/ready'))
  t.equal(ready.status, 503)
  t.same(await ready.json(), { status: 'unavailable' })
})

test('what the pool met is masked like any other fault of the database', async t => {
  const error = new PerformanceError('MPERF_DATABASE_DEADLINE', `passed while waiting (${SECRET})`)
  const { ask, log } = await serveFailing(t, error)
  const answer = await ask('{ labels { id } }')
  t.same(codesOf(answer), ['INTERNAL_SERVER_ERROR'])
  t.notMatch(JSON.stringify(answer), SECRET)
  t.match(log(), 'MPERF_DATABASE_DEADLINE', 'the log says which')
})
