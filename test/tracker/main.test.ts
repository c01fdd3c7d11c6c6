import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { readLoadOptions } from '../../dist/tracker/load-options.js'
import { explainListenError, readSettings } from '../../dist/tracker/settings.js'
import { metricsCommand } from '../../dist/tracker/welcome.js'
import { NO_POSTGRES, startPostgres } from '../postgres.js'
import { run, type ProcessResult } from './process.js'
import { post } from './tracker.js'

const shell = promisify(execFile)

test('a start without any setting serves, and says how to ask what it costs', { timeout: 60_000 }, async t => {
  const tracker = run(t, 'main.js', [], { PORT: '0' })
  const printed = await tracker.printed(/-d '.*'\n/)
  t.match(printed, /GraphiQL is at http:\/\/127\.0\.0\.1:\d+\/graphiql/)
  const [command = ''] = /^curl .*$/m.exec(printed) ?? []
  t.match(JSON.parse((await shell('sh', ['-c', command])).stdout), {
    data: { _performanceMetrics: { resolvers: [], cache: { hits: 0 } } }
  })

  t.test('the command for who has the token works too, with several tokens as well', async t => {
    const [, url = '', token = ''] = /(http:\S+\/graphql)[^]*Bearer (\w+)/.exec(printed) ?? []
    const env = { ...process.env, PERFORMANCE_ADMIN_TOKEN: `${token},${'other'.padEnd(40, 'x')}` }
    t.match(JSON.parse((await shell('sh', ['-c', metricsCommand(url)], { env })).stdout), {
      data: { _performanceMetrics: { cache: { hits: 0 } } }
    })
  })

  t.test('the load generator drives it', async t => {
    const [url = ''] = /http:\S+\/graphql/.exec(printed) ?? []
    const load = await run(t, 'load.js', ['--seconds', '2', '--connections', '4', '--url', url]).ended()
    t.equal(load.code, 0, load.stdout + load.stderr)
    t.match(load.stdout, /^ +1 s {2}\d+ answers/m)
    t.match(load.stdout, /^requests +[1-9]\d*$/m)
    t.match(load.stdout, /^(errors|non-2xx|GraphQL errors) +0$/m)
    t.match(load.stdout, 'curl')
    t.match(JSON.parse((await shell('sh', ['-c', command])).stdout), {
      data: { _performanceMetrics: { resolvers: { length: 5 } } }
    })
  })

  t.test('SIGTERM stops it', async t => {
    const stopping = performance.now()
    tracker.child.kill('SIGTERM')
    const { code, stderr } = await tracker.ended()
    t.equal(code, 0)
    t.equal(stderr, '')
    t.ok(performance.now() - stopping < 5_000)
  })
})

test('a terminal without pino-pretty shows the log as it is', { timeout: 60_000 }, async t => {
  const terminal = new URL('../fixtures/bare-terminal.js', import.meta.url).href
  const tracker = run(t, 'main.js', [], { PORT: '0', NODE_OPTIONS: `--import ${terminal}` })
  t.match(await tracker.printed(/GraphiQL is at/), /^\{"level":30,.*"Server listening at .*\}$/m)
})

test('in production nothing is seeded and no token is shown', { timeout: 60_000 }, async t => {
  const server = await startPostgres()
  if (server === null) {
    t.plan(0, NO_POSTGRES)
    return
  }
  t.teardown(() => server.close())
  const PERFORMANCE_ADMIN_TOKEN = 'canary-'.padEnd(40, 'x')
  const environment = { PORT: '0', NODE_ENV: 'production', DATABASE_URL: server.url, PERFORMANCE_ADMIN_TOKEN }
  const tracker = run(t, 'main.js', [], environment)
  const printed = await tracker.printed(/answers at http:\S+/)
  t.notMatch(printed, /canary-|curl|graphiql|hunter2/i)
  const [url = ''] = /http:\S+\/graphql/.exec(printed) ?? []
  t.match(await post(url, { query: '{ issues { totalCount } }' }), { data: { issues: { totalCount: 0 } } })
  t.equal((await fetch(url.replace('graphql', 'graphiql'))).status, 404)
})

test('a start that cannot be ends with one line', { timeout: 60_000 }, async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const unreachable = 'postgres://me:hunter2@127.0.0.1:1/tracker'
  const cases: [environment: Record<string, string>, line: RegExp][] = [
    [{ PORT: String(port) }, new RegExp(`^PORT is ${port}: another program listens on it`)],
    [{ HOST: 'a b' }, /^HOST is "a b": expected/],
    [
      { DATABASE_URL: unreachable },
      /^DATABASE_URL is "postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/tracker": nothing accepts/
    ],
    [{ PERFORMANCE_ADMIN_TOKEN: 'short' }, /^PERFORMANCE_ADMIN_TOKEN has a token of 5 characters/]
  ]
  // Two at a time, as there may be only two cores.
  for (let index = 0; index < cases.length; index += 2) {
    await Promise.all(
      cases.slice(index, index + 2).map(async ([environment, line]) => {
        checkOneLine(
          t,
          JSON.stringify(environment),
          await run(t, 'main.js', [], { PORT: '0', ...environment }).ended(),
          line
        )
      })
    )
  }
})

test('what is wrong with a setting', async t => {
  const cases: [environment: Record<string, string>, message: RegExp][] = [
    [{ PORT: '4000x' }, /^PORT is "4000x": expected a whole number from 0 to 65535$/],
    [{ PORT: '65536' }, /^PORT is "65536"/],
    [{ PORT: '-1' }, /^PORT is "-1"/],
    [{ PORT: '' }, /^PORT is ""/],
    [{ TRACKER_JIT: 'yes' }, /^TRACKER_JIT is "yes": expected a whole number of executions/],
    [{ HOST: '' }, /^HOST is ""/],
    [{ HOST: 'a\nb' }, /^HOST is "a\\nb": expected/],
    [{ NODE_ENV: 'production' }, /^DATABASE_URL is not set: production needs/]
  ]
  for (const [environment, message] of cases) t.throws(() => readSettings(environment), { name: 'StartError', message })
  t.same(readSettings({}), { port: 4_000, host: '127.0.0.1', production: false, databaseUrl: undefined, jit: 0 })

  const settings = { ...readSettings({}), host: '192.0.2.1' }
  const error = Object.assign(new Error('listen'), { code: 'EADDRNOTAVAIL' })
  t.match(explainListenError(error, settings), { message: /^HOST is "192\.0\.2\.1": this machine has no such address/ })
})

test('a load that cannot be ends with one line', async t => {
  const cases: [args: string[], line: RegExp][] = [
    [['--url', 'http://127.0.0.1:1/graphql'], /nothing answers there; start the Tracker first/],
    [['--seconds', '0'], /^--seconds is "0": expected a whole number from 1 to 3600/]
  ]
  for (const [args, line] of cases) checkOneLine(t, args.join(' '), await run(t, 'load.js', args).ended(), line)
  const wrong: [args: string[], message: RegExp][] = [
    [['--seconds', '1e2'], /^--seconds is "1e2"/],
    [['--connections', '1001'], /^--connections is "1001"/],
    [['--url', 'ftp://x'], /^--url is "ftp:\/\/x": expected/],
    [['--nope'], /^Unknown option '--nope'.*Usage: npm run load/],
    [['20'], /^Unexpected argument '20'.*Usage: npm run load/]
  ]
  for (const [args, message] of wrong) t.throws(() => readLoadOptions(args), { name: 'StartError', message })
})

function checkOneLine(t: Test, name: string, { code, stdout, stderr, seconds }: ProcessResult, line: RegExp): void {
  t.equal(code, 1, name)
  t.equal(stdout.replace(/^\{.*\}\n/gm, ''), '', `${name}: nothing but log entries`)
  t.match(stderr.trimEnd(), line, name)
  t.equal(stderr.split('\n').length, 2, `${name}: one line, and its end: ${stderr}`)
  t.ok(seconds < 20, `${name}: ${seconds} s`)
}
