import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { root, runNode } from '../node.js'
import packageJson from '../../package.json' with { type: 'json' }

const run = promisify(execFile)
const { devDependencies: peers } = packageJson

const body = `
  const app = Fastify()
  await app.register(mercurius, { schema: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'hi' } } })
  await app.register(mercuriusPerformance)
  await app.ready()
  const ask = query => app.inject({ method: 'POST', url: '/graphql', payload: { query }, headers: { authorization: 'Bearer ' + process.env.PERFORMANCE_ADMIN_TOKEN } })
  await ask('{ hello }')
  console.log((await ask('{ _performanceMetrics { resolvers { name count } } }')).body)
  await app.close()
`
const esm = `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  ${body}`
const commonJs = `
  const Fastify = require('fastify')
  const mercurius = require('mercurius')
  const { mercuriusPerformance } = require('mercurius-performance')
  ;(async () => { ${body} })()`
const types = `
  import Fastify from 'fastify'
  import mercuriusPerformance, { configure, getAllMetrics, PerformanceSpanProcessor, trackCacheHit } from 'mercurius-performance'
  import type { Snapshot } from 'mercurius-performance'
  const app = Fastify()
  await app.register(mercuriusPerformance, { slowQueryThreshold: 0.2, adminToken: ['x'.repeat(32)] })
  const snapshot: Snapshot = app.performance.snapshot({ recent: 3 })
  configure({ logAllMetrics: false })
  trackCacheHit(0.1, getAllMetrics().resolvers[0]?.name)
  console.log(snapshot, new PerformanceSpanProcessor())
  // @ts-expect-error a threshold is a number
  configure({ slowQueryThreshold: '0.2' })
  // @ts-expect-error there is no such option
  await app.register(mercuriusPerformance, { slowQuery: 1 })`

const environment = { PERFORMANCE_ADMIN_TOKEN: 'an-administrator-token-for-tests-only' }
const answer = '{"data":{"_performanceMetrics":{"resolvers":[{"name":"Query.hello","count":1}]}}}\n'
const preload = ['--import', 'mercurius-performance/register']

test('the packed package installs into an empty project and works with two lines', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'mercurius-performance-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const tarball = `./mercurius-performance-${packageJson.version}.tgz`
  const names = ['fastify', 'mercurius', 'graphql', 'pg', 'typescript', '@types/node'] as const
  await run('npm', ['install', '--no-audit', '--no-fund', tarball, ...names.map(name => `${name}@${peers[name]}`)], {
    cwd: folder
  })
  await writeFile(join(folder, 'app.mjs'), esm)
  await writeFile(join(folder, 'app.cjs'), commonJs)
  await writeFile(join(folder, 'first-import.mjs'), `import 'mercurius-performance/register'\n${esm}`)
  await writeFile(join(folder, 'first-require.cjs'), `require('mercurius-performance/register')\n${commonJs}`)
  await writeFile(join(folder, 'types.mts'), types)

  const quiet = { code: 0, stdout: answer, stderr: '' }
  t.match(await runNode([...preload, 'app.mjs'], environment, folder), quiet, 'ESM, preloaded')
  t.match(await runNode([...preload, 'app.cjs'], environment, folder), quiet, 'CommonJS, preloaded')
  t.match(await runNode(['first-import.mjs'], environment, folder), quiet, 'ESM, first import')
  t.match(
    await runNode(['first-require.cjs'], environment, folder),
    { code: 0, stdout: answer },
    'CommonJS, first require'
  )

  const compiler = ['node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--module', 'nodenext']
  const compiled = await runNode([...compiler, '--skipLibCheck', '--target', 'es2023', 'types.mts'], {}, folder)
  t.strictSame([compiled.code, compiled.stdout], [0, ''], 'its types hold, misuse included')

  const { stdout } = await run('tar', ['-tzf', tarball], { cwd: folder })
  const packed = stdout.split('\n')
  t.ok(packed.includes('package/dist/register.js') && packed.includes('package/README.md'))
  t.notOk(
    packed.some(file => /^package\/(dist\/tracker|dist\/database\/embedded|src|test|bench)/.test(file)),
    'the Tracker and the tests stay at home'
  )
})
