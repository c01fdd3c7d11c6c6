import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { describeConnectionError, findConnectionProblem } from '../../dist/database/connection-error.js'
import { maskConnectionString } from '../../dist/database/connection-url.js'
import { SetupError } from '../../dist/database/setup-error.js'
import { findFreePort, NO_POSTGRES, startPostgres } from '../postgres.js'

const SECRET = 'hunter2'

async function listen(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
    onSocket(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

async function check(t: Test, url: string, problem: RegExp): Promise<void> {
  const started = performance.now()
  const line = await findConnectionProblem(url)
  t.match(line, /^DATABASE_URL is ".*": .+$/, url)
  t.match(line, problem)
  t.notMatch(line, SECRET)
  t.notMatch(line, '\n')
  t.ok(performance.now() - started < 10_000, 'within ten seconds')
}

test('a DATABASE_URL that cannot be used is one line that says why', { timeout: 60_000 }, async t => {
  const silent = await listen(t, () => undefined)
  const http = await listen(t, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const hangingUp = await listen(t, socket => socket.destroy())
  const login = `me:${SECRET}`
  const cases: [url: string, problem: RegExp][] = [
    ['', /it is empty/],
    [`me:${SECRET}@localhost/db`, /does not start with postgres:\/\//],
    [`host=localhost password=${SECRET}`, /does not start with/],
    [`mysql://${login}@localhost/db`, /its scheme is mysql/],
    [`https://${login}@localhost/db`, /its scheme is https/],
    [`postgres://me:${SECRET}/x@localhost/db`, /no valid URL/],
    [`postgres://${login}@localhost:54x2/db`, /no valid URL/],
    [`postgres://${login}@local host/db`, /no valid URL/],
    [`postgres://${login}@127.0.0.1:${await findFreePort()}/db`, /nothing accepts connections/],
    [`postgres://${login}@no-such-host.invalid/db`, /no such host|cannot be looked up|does not answer/],
    [`postgres://${login}@127.0.0.1:${silent}/db`, /does not answer like Postgres/],
    [`postgres://${login}@127.0.0.1:${http}/db`, /is not Postgres|does not answer like Postgres/],
    [`postgres://${login}@127.0.0.1:${hangingUp}/db`, /is not Postgres|was cut/],
    [`postgres://${login}@127.0.0.1:${silent}/db?sslmode=verify-full&sslrootcert=/no/such/file`, /does not exist/],
    [`postgres://127.0.0.1:${silent}/db?user=me&password=${SECRET}`, /does not answer/]
  ]
  await Promise.all(cases.map(([url, problem]) => check(t, url, problem)))
})

test('what a PostgreSQL server refuses', { timeout: 60_000 }, async t => {
  const server = await startPostgres()
  if (server === null) {
    t.plan(0, NO_POSTGRES)
    return
  }
  t.teardown(() => server.close())
  const at = `127.0.0.1:${server.port}`
  t.equal(await findConnectionProblem(server.url), undefined)
  await check(t, `postgres://postgres:${SECRET}@${at}/postgres`, /password is wrong/)
  await check(t, `postgres://nobody:${SECRET}@${at}/postgres`, /password is wrong|let this user in/)
  await check(t, `postgres://postgres@${at}/postgres`, /asks for a password/)
  await check(t, server.url.replace(/postgres$/, 'nowhere'), /no such database/)
  await check(t, `${server.url}?sslmode=require`, /TLS/)
})

test('what failed in a database that could be reached says what to do, and never to throw away tables that are right', async t => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })
  const again = /failed with [^:]*: (?:the connection was lost|others were at the same rows or tables); try again$/
  const restore = /: the tables there are not those that it expects; restore them, or name an empty database$/
  const cases: [cause: Error, problem: RegExp][] = [
    [withCode('25006'), /25006: the database is read-only; name one that can be written to$/],
    [withCode('53100'), /53100: the disk of the database is full; make room$/],
    [withCode('53200'), /53200: Postgres is out of memory; /],
    [withCode('57014'), /57014: it was cancelled, .*statement_timeout/],
    [withCode('55P03'), /55P03: somebody else has held a lock that it needs/],
    [withCode('42501'), /42501: the user lacks a privilege/],
    [withCode('40P01'), again],
    [withCode('40001'), again],
    [withCode('57P01'), again],
    [withCode('ECONNRESET'), again],
    [new Error('Client has encountered a connection error and is not queryable'), again],
    [withCode('42P07'), restore],
    [withCode('42703'), restore],
    [withCode('23505'), restore],
    [new Error('MD5 checksum failed for migration [1]'), restore],
    [withCode('XX000'), /migration 1 \(one\) failed with XX000$/],
    [withCode('22012'), /migration 1 \(one\) failed with 22012$/],
    [new Error('something else'), /migration 1 \(one\) failed with "something else"$/]
  ]
  for (const [cause, problem] of cases) {
    const error = new SetupError('migration 1 (one)', cause)
    t.match(describeConnectionError('postgres://host/db', error), problem, error.message)
  }
})

test('no password is ever shown', async t => {
  const cases: [value: string, masked: string][] = [
    ['postgres://me:hunter2@host:5432/db', 'postgres://me:***@host:5432/db'],
    ['postgres://me@host:5432/db', 'postgres://me@host:5432/db'],
    ['postgres://host:5432/db?sslmode=require', 'postgres://host:5432/db?sslmode=require'],
    ['postgres://[::1]:5432/db', 'postgres://[::1]:5432/db'],
    ['postgres://me:hunter2@with/at@host/db', 'postgres://me:***@host/db'],
    ['postgres://me:12/hunter2@host/db', 'postgres://me:***@host/db'],
    ['postgres://me:hunter2', 'postgres://me:***'],
    ['postgres:me:hunter2@host', 'postgres:***@host'],
    ['me:hunter2@host', 'me:***@host'],
    ['//me:hunter2@host', '//me:***@host'],
    ['postgres://host/db?user=me&password=hunter2', 'postgres://host/db?user=me&password=***'],
    ['postgres://host/db?pass%77ord=hunter2&a=b', 'postgres://host/db?pass%77ord=***&a=b'],
    ["host=h password='hunter2 x' user=me", 'host=h password=*** user=me'],
    ['password = hunter2', 'password = ***'],
    ['postgres://me:hunter2\nhunter2@host/\u001b[31m\u202edb', 'postgres://me:***@host/?[31m?db']
  ]
  for (const [value, masked] of cases) t.equal(maskConnectionString(value), masked)
  t.equal(maskConnectionString(`postgres://host/${'x'.repeat(999)}`).length, 203)
})
