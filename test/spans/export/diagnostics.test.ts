import { inspect } from 'node:util'
import { diag } from '@opentelemetry/api'
import { globalErrorHandler } from '@opentelemetry/core'
import { test } from 'tap'
import { Diagnostics } from '../../../src/spans/export/diagnostics.js'
import { manualClock } from '../../clock.js'
import { runNode } from '../../node.js'
import { exportTo, startReceiver } from '../../otlp.js'
import { usePostgres } from '../../postgres.js'

const app = `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  const app = Fastify({ logger: { level: 'warn' } })
  await app.register(mercurius, { schema: 'type Query { hello: String }', resolvers: { Query: { hello: async () => 'hello' } } })
  await app.register(mercuriusPerformance, { logAllMetrics: false })
  const payload = { query: 'query Hello { hello }' }
  const until = Date.now() + Number(process.env.TEST_MILLISECONDS ?? 0)
  do {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/graphql', payload })
    if (statusCode !== 200 || body !== '{"data":{"hello":"hello"}}') throw new Error(body)
    await new Promise(resolve => setTimeout(resolve, 5))
  } while (Date.now() < until)
  await app.close()
  process.exit(0)`

const preload = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app]

test('each bad OTEL_ variable is named in one line, and its default is taken', async t => {
  const received = await startReceiver(t)
  const bad: Record<string, string> = {
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_TRACES_EXPORTER: 'otlp,jaeger',
    OTEL_BSP_MAX_QUEUE_SIZE: 'many',
    OTEL_BSP_SCHEDULE_DELAY: '-1',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '0.5',
    OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'zip',
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: 'few'
  }
  const { code, stderr } = await runNode(preload, { ...exportTo(received), OTEL_METRICS_EXPORTER: 'none', ...bad })
  t.equal(code, 0)
  const lines = stderr.trim().split('\n')
  for (const [variable, value] of Object.entries(bad)) {
    const naming = lines.filter(line => line.includes(variable))
    t.equal(naming.length, 1, `${variable}: ${naming.join('\n')}`)
    t.match(naming[0], value.split(',').at(-1))
  }
  t.equal(lines.length, Object.keys(bad).length, stderr)
  t.ok(received.spans.some(({ name }) => name === 'query Hello'))
})

test('what a protocol or a share out of range would be is said too', async t => {
  const bad = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'udp',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '7'
  }
  const { code, stderr } = await runNode(preload, bad)
  t.equal(code, 0)
  t.match(stderr, 'OTEL_EXPORTER_OTLP_PROTOCOL is "udp": expected grpc, http/json or http/protobuf')
  t.match(stderr, 'OTEL_TRACES_SAMPLER_ARG is 7: expected a number from 0 to 1; taking 1')
  t.equal(stderr.trim().split('\n').length, 2, stderr)
})

test('a collector that is not there makes one line, without the password of its address', async t => {
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:hunter2@127.0.0.1:9',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    TEST_MILLISECONDS: '2500'
  }
  const { code, stdout, stderr } = await runNode(preload, environment)
  t.equal(code, 0)
  t.equal(stderr, '')
  const lines = stdout.trim().split('\n')
  t.equal(lines.filter(line => line.includes('export failed')).length, 1, stdout)
  t.match(stdout, 'connect ECONNREFUSED 127.0.0.1:9')
  t.notMatch(stdout, 'hunter2')
})

test('at start each line once, later one a minute with a count of the others', t => {
  const clock = manualClock()
  const lines: string[] = []
  const diagnostics = new Diagnostics(clock, (level, line) => lines.push(`${level}: ${line}`))
  t.teardown(() => {
    diag.disable()
  })
  diag.warn('one')
  diag.warn('one')
  diag.warn('two')
  diag.info('no interest')
  t.strictSame(lines.splice(0), ['warn: one', 'warn: two'])
  diagnostics.started()
  globalErrorHandler(new Error('lost\nat http://me:secret@collector:4318/v1/traces'))
  for (let index = 0; index < 5; index += 1) diag.error('again', new Error('down'))
  clock.advance(59)
  diag.error('again')
  t.strictSame(lines.splice(0), ['error: export failed: lost at http://collector:4318/v1/traces'])
  clock.advance(1)
  diag.error('component', 'again')
  t.strictSame(lines.splice(0), ['error: component again (and 6 more such lines in the minute before)'])
  clock.advance(60)
  diag.error('x'.repeat(10_000))
  t.ok((lines[0]?.length ?? 0) < 500)
  t.end()
})

test('the application keeps a diagnostic logger of its own', t => {
  const seen: string[] = []
  const quiet = (): void => undefined
  const keep = (line: string): void => void seen.push(line)
  diag.setLogger({ error: keep, warn: keep, info: quiet, debug: quiet, verbose: quiet })
  t.teardown(() => {
    diag.disable()
  })
  new Diagnostics(manualClock(), () => t.fail('not ours'))
  diag.error('theirs')
  t.strictSame(seen, ['theirs'])
  t.end()
})

test('a logger that throws never reaches the application: its queries, its spans and its end are as ever', async t => {
  const postgres = await usePostgres(t)
  const received = await startReceiver(t)
  received.answer = () => ({ status: 200, delay: 60_000 })
  const full = `
    import { trace } from '@opentelemetry/api'
    import Fastify from 'fastify'
    import mercurius from 'mercurius'
    import mercuriusPerformance from 'mercurius-performance'
    import pg from 'pg'
    let isFull = false
    const write = () => { if (isFull) throw new Error('the log is full') }
    const loggerInstance = { level: 'info', child: () => loggerInstance }
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) loggerInstance[level] = write
    const app = Fastify({ loggerInstance })
    await app.register(mercurius, { schema: 'type Query { hello: String }' })
    await app.register(mercuriusPerformance, { logAllMetrics: false })
    await app.ready()
    isFull = true
    const pool = new pg.Pool({ connectionString: process.env.TEST_DATABASE, max: 1 })
    await pool.query('CREATE TABLE notes (text text)')
    for (let round = 0; round < 20; round += 1) await pool.query("INSERT INTO notes VALUES ('one')")
    for (let round = 0; round < 3; round += 1) trace.getTracer('app').startSpan('own').end()
    console.log((await pool.query('SELECT count(*)::int AS notes FROM notes')).rows[0])
    await pool.end()
    await app.close()
    console.log('closed')
    process.exit(0)`
  const settings = {
    ...exportTo(received),
    TEST_DATABASE: postgres.url,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_MAX_QUEUE_SIZE: '8',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1'
  }
  const given = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', full]
  const { code, stdout, stderr } = await runNode(given, settings)
  t.strictSame([code, stdout], [0, '{ notes: 20 }\nclosed\n'], stderr)
})

test('what cannot be told as text is left out', t => {
  const lines: string[] = []
  new Diagnostics(manualClock(), (_, line) => lines.push(line))
  t.teardown(() => {
    diag.disable()
  })
  const broken = {
    [inspect.custom]() {
      throw new Error('broken')
    }
  }
  t.doesNotThrow(() => {
    diag.warn('seen', broken)
  })
  diag.warn('goes on')
  t.strictSame(lines, ['goes on'])
  t.end()
})
