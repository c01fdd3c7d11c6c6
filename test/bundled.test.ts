import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { test } from 'tap'
import { root, runNode } from './node.js'

const app = `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  const warnings = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: line => warnings.push(JSON.parse(line).msg) } } })
  await app.register(mercurius, { schema: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'hi' } } })
  await app.register(mercuriusPerformance)
  await app.ready()
  await app.inject({ method: 'POST', url: '/graphql', payload: { query: '{ hello }' } })
  console.log(JSON.stringify({ warnings, resolvers: app.performance.snapshot().resolvers.length }))
  await app.close()`

/** What CommonJS modules in a bundle of ES modules ask for. */
const banner = `
  import * as banner_module from 'node:module'
  import * as banner_path from 'node:path'
  import * as banner_url from 'node:url'
  const require = banner_module.createRequire(import.meta.url)
  const __filename = banner_url.fileURLToPath(import.meta.url), __dirname = banner_path.dirname(__filename)`

const outside = ['mercurius-performance', 'graphql', 'mercurius', 'pg', 'graphql-jit']

for (const [what, external, isMeasured] of [
  ['with all that it needs', [], false],
  ['with all but this package', ['mercurius-performance'], false],
  ['as the README has it', outside, true]
] as const) {
  test(`a service that is bundled ${what} is ${isMeasured ? 'measured' : 'told that it is not measured'}`, async t => {
    // Inside of the package, so that it is found by its name.
    await mkdir(join(root, '.cache'), { recursive: true })
    const folder = await mkdtemp(join(root, '.cache', 'bundle-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const outfile = join(folder, 'app.mjs')
    await build({
      stdin: { contents: app, resolveDir: root },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: [...external],
      banner: { js: banner },
      outfile,
      logLevel: 'silent'
    })
    const { code, stdout, stderr } = await runNode(['--import', 'mercurius-performance/register', outfile])
    t.strictSame([code, stderr], [0, ''])
    const { warnings, resolvers } = JSON.parse(stdout) as { warnings: string[]; resolvers: number }
    t.equal(resolvers, isMeasured ? 1 : 0)
    t.equal(warnings.length, isMeasured ? 0 : 1)
    if (!isMeasured)
      t.match(warnings[0], /graphql was not loaded from a file: .* leave it out of that, with mercurius, pg/)
  })
}
