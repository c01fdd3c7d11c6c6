/** Thousands of secrets, planted wherever a client or a database may have one, are in nothing that leaves the process. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { startStack, type Stack } from '../../stack/stack.js'
import { startNode } from '../node.js'
import { usePostgres } from '../postgres.js'
import { fetchTraces } from './jaeger.js'

const ROUNDS = 115
/** Every one begins with this and is different. */
const PLANTED = `planted${randomBytes(6).toString('hex')}`
const TOKEN = 'an-administrator-token-for-tests-only'
let planted = 0
const secret = (): string => `${PLANTED}n${(planted += 1)}`

const service = `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  import pg from 'pg'
  const pool = new pg.Pool({ connectionString: process.env.TEST_DATABASE, max: 5 })
  await pool.query('CREATE TABLE IF NOT EXISTS known (text text PRIMARY KEY)')
  const fields = ['literal', 'tight', 'dollars', 'comment', 'bound', 'cast', 'broken', 'unique', 'thrown']
  const doubled = text => pool.query('INSERT INTO known VALUES ($1)', [text]).then(() => pool.query('INSERT INTO known VALUES ($1)', [text]))
  const textOf = ({ rows }) => rows[0].text
  const resolvers = { Query: {
    literal: async (_, { text }) => textOf(await pool.query("SELECT '" + text + "' AS text, E'" + text + "'")),
    tight: async (_, { text }) => textOf(await pool.query("SELECT'" + text + "'AS\\ntext")),
    dollars: async (_, { text }) => textOf(await pool.query('SELECT $a$' + text + '$a$ AS text')),
    comment: async (_, { text }) => { await pool.query('SELECT 1 /* ' + text + ' */ -- ' + text); return text },
    bound: async (_, { text }) => textOf(await pool.query('SELECT $1::text AS text', [text])),
    cast: (_, { text }) => pool.query('SELECT $1::int AS text', [text]),
    broken: (_, { text }) => pool.query("SELEC '" + text + "' FROM known"),
    unique: (_, { text }) => doubled(text),
    thrown: () => undefined
  } }
  resolvers.Query.thrown = async (_, { text }) => { throw new Error(text) }
  const app = Fastify({ logger: { level: 'info' }, disableRequestLogging: true })
  await app.register(mercurius, {
    schema: 'type Query { ' + fields.map(field => field + '(text: String): String').join(' ') + ' }',
    resolvers,
    // What the application itself writes down of its errors is its own affair.
    errorFormatter: execution => ({ statusCode: 200, response: { data: execution.data ?? null, errors: execution.errors } })
  })
  await app.register(mercuriusPerformance)
  console.log('listening at ' + await app.listen({ port: 0, host: '127.0.0.1' }))
  process.on('SIGTERM', async () => { await app.close(); await pool.end(); process.exit(0) })
`
const fields = ['literal', 'tight', 'dollars', 'comment', 'bound', 'cast', 'broken', 'unique', 'thrown']
const metrics = `{ _performanceMetrics {
  resolvers { name recent { traceId } } queries { name } operations { name } slow(limit: 100) { name text }
  statements { name text callers { resolver operation } } cache { hits } config { traceUrl } } }`

test('what was planted is in no span, log or metric', { timeout: 900_000 }, async t => {
  const stack = await startStack()
  t.teardown(() => stack.stop())
  const postgres = await usePostgres(t)
  await t.test('exported as sampled', t => plant(t, stack, postgres.url, 'sampled', {}))
  await t.test('exported since it was slow or failed', t =>
    plant(t, stack, postgres.url, 'kept', {
      OTEL_TRACES_SAMPLER: 'always_off',
      PERFORMANCE_SLOW_OPERATION_THRESHOLD: '0',
      PERFORMANCE_SLOW_TRACES_PER_MINUTE: '100000'
    })
  )
  t.comment(`${planted} secrets`)
  t.ok(planted > 10_000, `${planted} secrets`)
})

async function plant(
  t: Test,
  stack: Stack,
  databaseUrl: string,
  name: string,
  environment: Record<string, string>
): Promise<void> {
  const wire = await record(t, Number(new URL(stack.otlpHttp).port))
  const child = startNode(['--import', 'mercurius-performance/register', '--input-type=module', '-e', service], {
    TEST_DATABASE: `${databaseUrl}?application_name=${secret()}`,
    PERFORMANCE_ADMIN_TOKEN: TOKEN,
    PERFORMANCE_SLOW_QUERY_THRESHOLD: '0',
    OTEL_SERVICE_NAME: name,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${wire.port}`,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${TOKEN}`,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_METRIC_EXPORT_TIMEOUT: '1000',
    OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    ...environment
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
  while (!output.includes('listening at')) {
    if (child.exitCode !== null) throw new Error(output)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
  await ask(url)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  const told = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query: metrics }) })
  const texts: Record<string, string> = { _performanceMetrics: await told.text() }
  const scraped = await fetch(`${url}/metrics`, { headers })
  t.equal(scraped.status, 200)
  texts['GET /metrics'] = await scraped.text()
  child.kill('SIGTERM')
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 0, 'it ends by itself')

  await fetchTraces(stack.jaegerUrl, name, 'query Thrown', 1)
  texts.Jaeger = await (await fetch(`${stack.jaegerUrl}/api/traces?service=${name}&limit=20000`)).text()
  const match = encodeURIComponent('{__name__=~".+"}')
  texts.Prometheus = await (await fetch(`${stack.prometheusUrl}/api/v1/series?match[]=${match}`)).text()
  texts.log = output
  texts['OTLP bytes'] = Buffer.concat(wire.sent).toString('latin1')
  const expected = {
    _performanceMetrics: /SELECT \?/,
    'GET /metrics': /db_client_operation_duration/,
    Jaeger: /pg\.query/,
    Prometheus: /db_client_operation_duration/,
    log: /PERFORMANCE: Query SELECT/,
    'OTLP bytes': /graphql\.resolve Query\.thrown/
  }
  for (const [place, text] of Object.entries(texts)) {
    t.match(text, expected[place as keyof typeof expected], `${place} says something`)
    // Instrumentations change the case of SQL.
    const at = text.toLowerCase().indexOf(PLANTED)
    t.equal(at, -1, `${place}: ${at === -1 ? '' : JSON.stringify(text.slice(Math.max(0, at - 200), at + 60))}`)
    t.notMatch(text, /hunter2/i, `${place}: the password of the database`)
    if (place !== 'OTLP bytes') t.notOk(text.includes(TOKEN), `${place}: a token`)
  }
}

/** Each round plants a literal, a variable, and what headers and the address hold, once for each field. */
async function ask(url: string): Promise<void> {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round)
  const worker = async (): Promise<void> => {
    for (let round = rounds.pop(); round !== undefined; round = rounds.pop()) {
      for (const field of fields) {
        const title = `${field.charAt(0).toUpperCase()}${field.slice(1)}`
        const query = `# ${secret()}\nquery ${title}($text: String) { one: ${field}(text: $text) other: ${field}(text: "${secret()}") }`
        const headers = {
          'content-type': 'application/json',
          authorization: `Bearer ${secret()}`,
          cookie: `session=${secret()}`,
          'x-api-key': secret()
        }
        const body = JSON.stringify({ query, variables: { text: secret() } })
        const answer = await fetch(`${url}/graphql?token=${secret()}`, { method: 'POST', headers, body })
        if (!(await answer.text()).includes(`"one"`)) throw new Error(`no answer for ${field}`)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

/** A TCP proxy in front of `target` that keeps what goes through it to there. */
async function record(t: Test, target: number): Promise<{ readonly port: number; readonly sent: Buffer[] }> {
  const sent: Buffer[] = []
  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1')
    client.on('data', data => sent.push(data))
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, sent }
}
