import { test } from 'tap'
import { runNode } from './node.js'

const preload = ['--import', 'mercurius-performance/register']

/** An app as a stranger writes it: two lines of ours, no token, one request to itself. */
const app = `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import pg from 'pg'
  import mercuriusPerformance, { getAllMetrics } from 'mercurius-performance'
  const lines = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: line => lines.push(JSON.parse(line)) } } })
  await app.register(mercurius, { schema: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'hi' } } })
  await app.register(mercuriusPerformance)
  await app.ready()
  if (process.env.SWITCH_ON) app.performance.configure({ enabled: true })
  await app.inject({ method: 'POST', url: '/graphql', payload: { query: '{ hello }' } })
  const { resolvers, operations } = getAllMetrics()
  console.log(JSON.stringify({ resolvers: resolvers.map(({ name, count }) => [name, count]), operations: operations.map(({ count }) => count), warnings: lines.map(({ msg }) => msg), codes: lines.map(({ code }) => code) }))
  await app.close()
`

interface Report {
  readonly resolvers: readonly [string, number][]
  readonly operations: readonly number[]
  readonly warnings: readonly string[]
  readonly codes: readonly string[]
}

async function report(given: readonly string[], environment: Record<string, string> = {}): Promise<Report> {
  const { stdout, stderr, code } = await runNode([...given, '--input-type=module', '-e', app], environment)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Report
}

test('Integration Points: with the preload, resolvers are measured and nothing complains', async t => {
  t.strictSame(await report(preload), { resolvers: [['Query.hello', 1]], operations: [1], warnings: [], codes: [] })
})

test('without the preload one warning says what is not measured and what to do', async t => {
  const { resolvers, warnings, codes } = await report([])
  t.strictSame(resolvers, [])
  t.strictSame(codes, ['MPERF_NOT_MEASURING'])
  t.equal(warnings.length, 1)
  t.match(warnings[0], /measures nothing.*no preload.*graphql.*pg.*node --import mercurius-performance\/register/)
})

for (const [what, script, file] of [
  ['even load the OpenTelemetry SDK', '', '@opentelemetry/sdk-node'],
  ['load the SQL parser, with an app that runs and is asked', app, 'libpg-query']
] as const) {
  test(`PERFORMANCE_ENABLED=false does not ${what}`, async t => {
    const probe = `${script}
      const { cache } = (await import('node:module')).createRequire(process.cwd() + '/probe.js')
      console.log(Object.keys(cache).some(file => file.includes('${file}')))`
    for (const enabled of ['true', 'false']) {
      const given = [...preload, '--input-type=module', '-e', probe]
      const { stdout } = await runNode(given, { PERFORMANCE_ENABLED: enabled })
      t.equal(stdout.trim().split('\n').at(-1), enabled, `PERFORMANCE_ENABLED=${enabled}`)
    }
  })
}

test('PERFORMANCE_ENABLED=false loads nothing that exports, whatever the variables ask for', async t => {
  const probe = `
    import 'mercurius-performance'
    import { createRequire } from 'node:module'
    const { cache } = createRequire(import.meta.url)
    const isExporter = file => /@opentelemetry.(sdk-metrics|exporter-)/.test(file) || /metrics.(readers|prometheus)/.test(file)
    console.log(Object.keys(cache).some(isExporter))`
  for (const [enabled, isLoaded] of [
    ['true', 'true'],
    ['false', 'false']
  ] as const) {
    const environment = {
      PERFORMANCE_ENABLED: enabled,
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: '1'
    }
    const { stdout } = await runNode([...preload, '--input-type=module', '-e', probe], environment)
    t.equal(stdout.trim(), isLoaded, `PERFORMANCE_ENABLED=${enabled}`)
  }
})

test('PERFORMANCE_ENABLED=false leaves graphql and pg as if nothing were installed', async t => {
  const probe = `
    import pg from 'pg'
    import { execute } from 'graphql'
    console.log(pg.Client.prototype.query.__wrapped === undefined && execute.__wrapped === undefined)
  `
  for (const [enabled, untouched] of [
    ['false', 'true'],
    ['true', 'false']
  ] as const) {
    const environment = { PERFORMANCE_ENABLED: enabled }
    const { stdout } = await runNode([...preload, '--input-type=module', '-e', probe], environment)
    t.equal(stdout.trim(), untouched, `PERFORMANCE_ENABLED=${enabled}`)
  }
  const { resolvers, warnings } = await report(preload, { PERFORMANCE_ENABLED: 'false' })
  t.strictSame([resolvers, warnings], [[], []])
})

test('what was switched off at start and is switched on later says that it needs another start', async t => {
  const { warnings } = await report(preload, { PERFORMANCE_ENABLED: 'false', SWITCH_ON: 'yes' })
  t.equal(warnings.length, 1)
  t.match(
    warnings[0],
    /measures no .* and queries: .* started with PERFORMANCE_ENABLED=false, .* Start it again without that/
  )
})

for (const [how, given, environment] of [
  ['the preload', preload, {}],
  ['a NodeSDK of its own', ['--import', './test/fixtures/own-sdk.js'], { OURS: 'before' }]
] as const) {
  test(`OTEL_SDK_DISABLED=true installs nothing with ${how}, and one warning says so`, async t => {
    const { resolvers, operations, warnings } = await report(given, { ...environment, OTEL_SDK_DISABLED: 'True' })
    t.strictSame([resolvers, operations], [[], []], 'neither is measured by half')
    t.equal(warnings.length, 1)
    t.match(warnings[0], /measures no .* and queries: .* started with OTEL_SDK_DISABLED=true/)
  })
}

test('a slow operation is one line in the log of the app', async t => {
  const { warnings } = await report(preload, { PERFORMANCE_SLOW_OPERATION_THRESHOLD: '0' })
  t.equal(warnings.length, 1)
  t.match(warnings[0], /^PERFORMANCE: Operation .* took 0\.\d{4}s$/)
})

test('a bad variable stops the start with one line that names it, its value and what is right', async t => {
  const { code, stderr, stdout } = await runNode([...preload, '-e', 'console.log("started")'], {
    PERFORMANCE_RETENTION_PERIOD: 'an hour'
  })
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^MPERF_CONFIG_INVALID: PERFORMANCE_RETENTION_PERIOD is "an hour": expected seconds.*\n$/)
})

test('nothing is exported and nothing complains while no endpoint is named', async t => {
  const { stderr, stdout, code } = await runNode([...preload, '-e', 'setTimeout(() => console.log("done"), 100)'], {
    OTEL_LOG_LEVEL: 'warn'
  })
  t.strictSame([code, stdout, stderr], [0, 'done\n', ''])
})

test('sampling decides what is exported, never what is measured', async t => {
  const { resolvers } = await report(preload, { OTEL_TRACES_SAMPLER: 'always_off' })
  t.strictSame(resolvers, [['Query.hello', 1]])
})

test('an app with a NodeSDK of its own only adds the processor', async t => {
  t.strictSame(await report(['--import', './test/fixtures/own-sdk.js']), {
    resolvers: [['Query.hello', 1]],
    operations: [1],
    warnings: [],
    codes: []
  })
})

test('with resolver spans and our instrumentation side by side nothing is counted twice', async t => {
  for (const OURS of ['before', 'after']) {
    const { resolvers, operations } = await report(['--import', './test/fixtures/own-sdk.js'], { OURS })
    t.strictSame([resolvers, operations], [[['Query.hello', 1]], [1]], OURS)
  }
})
