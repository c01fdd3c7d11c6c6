import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { test } from 'tap'
import { root } from '../node.js'
import { freePort } from '../port.js'

const run = promisify(execFile)

interface Metrics {
  readonly data: {
    readonly _performanceMetrics: {
      readonly resolvers: readonly { readonly name: string; readonly count: number }[]
      readonly cache: { readonly hits: number; readonly misses: number }
    }
  }
}

test('a stranger clones, starts, pastes the printed command, drives load and sees it counted', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'fresh-clone-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await run('git', ['clone', '--quiet', root, folder])
  await run('npm', ['ci'], { cwd: folder, maxBuffer: 2 ** 26 })

  const port = String(await freePort())
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_|TAP|_TAP|PERFORMANCE_|OTEL_|npm_)/.test(name)
  )
  const env = { ...Object.fromEntries(inherited), PORT: port }
  const started = Date.now()
  const server = spawn('npm', ['start'], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<number | null>(resolve => server.once('exit', resolve))
  t.teardown(() => {
    if (server.exitCode === null && server.pid !== undefined) process.kill(-server.pid, 'SIGKILL')
  })
  let output = ''
  server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  server.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const command = () => /^\s*(curl .*)$/m.exec(output)?.[1]
  while (command() === undefined && server.exitCode === null && Date.now() - started < 60_000) await delay(100)
  const seconds = (Date.now() - started) / 1000
  t.comment(`ready after ${seconds.toFixed(1)} s, build included`)
  t.ok(seconds < 30, `ready in ${seconds} s`)
  t.match(output, `http://127.0.0.1:${port}`)
  t.match(output, /graphiql/i)

  const load = [
    'run',
    '--silent',
    'load',
    '--',
    '--seconds',
    '3',
    '--connections',
    '5',
    '--url',
    `http://127.0.0.1:${port}/graphql`
  ]
  const { stdout: result } = await run('npm', load, { cwd: folder, env, maxBuffer: 2 ** 26 })
  t.match(result, /req/i)

  const { stdout: answer } = await run('sh', ['-c', command() ?? 'false'], { cwd: folder })
  const { resolvers, cache } = (JSON.parse(answer) as Metrics).data._performanceMetrics
  t.ok(resolvers.length > 0 && resolvers.every(({ count }) => count > 0))
  t.ok(cache.hits > 0 && cache.misses > 0)

  const stopping = Date.now()
  if (server.pid !== undefined) process.kill(-server.pid, 'SIGTERM')
  await exited
  t.ok(Date.now() - stopping < 5000, 'stops within 5 s of SIGTERM')
})
