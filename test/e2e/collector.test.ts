/** otel-collector.yaml by itself, with hand-made OTLP from services that are less careful than ours. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { chooseAddresses } from '../../stack/addresses.js'
import { findBinaries } from '../../stack/binaries.js'
import { startChild } from '../../stack/child.js'
import { programs } from '../../stack/programs.js'
import { startStack } from '../../stack/stack.js'
import { fetchTraces, tagOf } from './jaeger.js'

const nanoseconds = (millisecondsAgo = 0): string => `${Date.now() - millisecondsAgo}000000`
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const list = (key: string, ...texts: string[]) => ({
  key,
  value: { arrayValue: { values: texts.map(stringValue => ({ stringValue })) } }
})

const map = (key: string, entries: Record<string, string>) => ({
  key,
  value: { kvlistValue: { values: Object.entries(entries).map(([name, value]) => attribute(name, value)) } }
})

async function send(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
}

const resource = (service: string) => ({
  attributes: [
    attribute('service.name', service),
    attribute('process.command_line', 'node app.js --password SECRET'),
    list('process.command_args', 'node', 'SECRET')
  ]
})

const careless = [
  list('http.request.header.authorization', 'Bearer SECRET'),
  list('http.response.header.set-cookie', 'id=SECRET'),
  list('db.postgresql.values', 'SECRET'),
  list('db.mysql.values', 'SECRET'),
  attribute('db.statement.parameters', '["SECRET"]'),
  attribute('http.error_message', 'SECRET'),
  attribute('http.status_text', 'SECRET'),
  attribute('db.query.parameter.0', 'SECRET'),
  attribute('graphql.variables.input', '{"name":"SECRET"}'),
  attribute('url.query', 'name=SECRET'),
  attribute('url.full', 'https://example.com/graphql?query={user(name:"SECRET")}'),
  attribute('http.target', '/graphql?query=SECRET'),
  attribute('url.path', '/graphql?query=SECRET'),
  attribute('session_token', 'SECRET\nSECRET'),
  attribute('user.apiKey', 'SECRET'),
  attribute('note', 'cannot reach postgres://app:SECRET@db:5432/app'),
  list('notes', 'fine', 'redis://:SECRET@cache:6379'),
  attribute('dsn', 'host=db user=app password=SECRET dbname=app'),
  attribute('dsn.dollar', 'host=db password=$SECRET'),
  attribute('dsn.digit', 'password=$1SECRET dbname=app'),
  attribute('dsn.quoted', "password = 'one SECRET' dbname=app"),
  attribute('json', 'got {"user":"app", "password": "SECRET \\" SECRET"} twice'),
  attribute('json.in.json', '{"body":"{\\"dbPassword\\":\\"SECRET\\"}"}'),
  attribute('json.list', '{"authorization":["SECRET"]}'),
  attribute('graphql.literal', '{ login(password: "SECRET") { id } }'),
  map('http.request.header', { authorization: 'SECRET', 'x-other': 'SECRET' }),
  map('db.query.parameter', { 0: 'SECRET' }),
  map('request', { path: '/', apiKey: 'SECRET' }),
  attribute('log', 'sent Authorization: Bearer SECRETabcdef.ghi'),
  attribute('jwt', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SECRET'),
  attribute('key.pem', '-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----')
]
const harmless = [
  attribute('db.query.text', 'SELECT id FROM users WHERE password = $1 AND token=? AND name ILIKE $2'),
  attribute('graphql.source', '{ login(password: "*") { id } }'),
  attribute('db.statement', 'UPDATE users SET password=$1, token = $2::text, pwd=?, secret = ?  WHERE api_key=$3'),
  attribute(
    'graphql.document',
    'mutation ($password: String!, $token: ID = "*") { sign(password: $password) { token } }'
  ),
  attribute('json.redacted', '{"password":"*","token": "?"}'),
  attribute('error.type', 'TypeError')
]

test('what must not leave stops at the Collector, and the rest passes', async t => {
  const stack = await startStack()
  t.teardown(() => stack.stop())
  const service = 'careless'
  const times = { startTimeUnixNano: nanoseconds(10), endTimeUnixNano: nanoseconds() }
  const ids = { traceId: '5b8aa5a2d2c872e8321cf37308d69df1', spanId: '051581bf3cb55c13' }
  const exception = ['type', 'message', 'stacktrace'].map(name =>
    attribute(`exception.${name}`, name === 'type' ? 'Error' : 'SECRET\n  at SECRET')
  )
  const failed = {
    ...ids,
    ...times,
    name: 'failed',
    status: { code: 2, message: 'no such user SECRET' },
    attributes: [...careless, ...harmless, { key: 'rows', value: { intValue: '42' } }],
    events: [
      { timeUnixNano: nanoseconds(), name: 'exception', attributes: exception },
      { timeUnixNano: nanoseconds(), name: 'retry with token=SECRET', attributes: [] }
    ]
  }
  const names = [
    'GET /graphql?query=SECRET',
    'connect postgres://app:SECRET@db/app',
    'SELECT id WHERE token=?',
    'query Hello'
  ]
  const refused = { ...ids, ...times, spanId: '051581bf3cb55c14', parentSpanId: ids.spanId, name: 'refused' }
  const spans = [
    failed,
    { ...refused, status: { code: 2, message: '23505' } },
    ...names.map((name, index) => ({ ...refused, spanId: `051581bf3cb55d0${index}`, name }))
  ]
  await send(`${stack.otlpHttp}/v1/traces`, {
    resourceSpans: [{ resource: resource(service), scopeSpans: [{ scope: { name: 'careless' }, spans }] }]
  })

  const [trace] = await fetchTraces(stack.jaegerUrl, service, 'failed', 1)
  t.notMatch(JSON.stringify(trace), /SECRET/)
  const tags = trace?.spans.find(({ operationName }) => operationName === 'failed')?.tags ?? []
  for (const { key, value } of harmless) t.equal(tagOf(tags, key), value.stringValue, key)
  t.equal(tagOf(tags, 'rows'), 42)
  t.equal(tagOf(tags, 'json'), 'got {"user":"app", "****"} twice')
  t.strictSame(trace?.spans.map(({ operationName }) => operationName).sort(), [
    'GET /graphql',
    'SELECT id WHERE token=?',
    'connect ****db/app',
    'failed',
    'query Hello',
    'refused'
  ])
  t.notMatch(JSON.stringify(trace), 'mercurius_performance.name')
  t.equal(tagOf(tags, 'url.full'), 'https://example.com/graphql')
  t.equal(tagOf(tags, 'url.path'), '/graphql')
  t.equal(tagOf(tags, 'note'), 'cannot reach ****db:5432/app')
  const other = trace?.spans.find(({ operationName }) => operationName === 'refused')?.tags ?? []
  t.equal(tagOf(other, 'otel.status_description'), '23505', "PostgreSQL's code says no value")

  await t.test('an exponential histogram arrives in Prometheus bucket for bucket', async t => {
    const point = {
      attributes: [attribute('db.operation.name', 'SELECT'), attribute('db.user.password', 'SECRET')],
      startTimeUnixNano: nanoseconds(60_000),
      timeUnixNano: nanoseconds(),
      count: '10',
      sum: 0.32,
      scale: 6,
      zeroCount: '0',
      // 2 ** (-320 / 64) is a thirty-second.
      positive: { offset: -320, bucketCounts: ['1', '2', '3', '4'] }
    }
    const histogram = { aggregationTemporality: 2, dataPoints: [point] }
    const metrics = [{ name: 'db.client.operation.duration', unit: 's', exponentialHistogram: histogram }]
    await send(`${stack.otlpHttp}/v1/metrics`, {
      resourceMetrics: [{ resource: resource(service), scopeMetrics: [{ scope: { name: 'careless' }, metrics }] }]
    })
    let text = ''
    while (!text.includes('histogram')) {
      await delay(100)
      const query = `${stack.prometheusUrl}/api/v1/query?query=db_client_operation_duration_seconds`
      text = await (await fetch(query)).text()
    }
    t.match(JSON.parse(text), {
      data: {
        result: [
          {
            metric: { job: service, db_operation_name: 'SELECT', db_user_password: '****' },
            histogram: [
              Number,
              {
                count: '10',
                sum: '0.32',
                buckets: [
                  [0, '0.03125', /^0\.03159/, '1'],
                  [0, /^0\.03159/, /^0\.03193/, '2'],
                  [0, /^0\.03193/, /^0\.03228/, '3'],
                  [0, /^0\.03228/, /^0\.03263/, '4']
                ]
              }
            ]
          }
        ]
      }
    })
    t.notMatch(text, /SECRET/)
  })
})

test('an exemplar leaves with its trace id and without the attributes that its metric leaves out', async t => {
  const bodies: string[] = []
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      bodies.push((request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('latin1'))
      response.setHeader('content-type', 'application/x-protobuf').end()
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.teardown(() => receiver.close())
  const collector = await startCollector(t, `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`)
  const traceId = '5b8aa5a2d2c872e8321cf37308d69df1'
  const exemplar = {
    timeUnixNano: nanoseconds(),
    asDouble: 0.032,
    traceId,
    spanId: '051581bf3cb55c13',
    filteredAttributes: [attribute('name', 'SECRET')]
  }
  const point = {
    startTimeUnixNano: nanoseconds(60_000),
    timeUnixNano: nanoseconds(),
    count: '1',
    sum: 0.032,
    explicitBounds: [1],
    bucketCounts: ['1', '0'],
    exemplars: [exemplar]
  }
  const metrics = [{ name: 'of.one', unit: 's', histogram: { aggregationTemporality: 2, dataPoints: [point] } }]
  await send(`${collector}/v1/metrics`, {
    resourceMetrics: [{ resource: resource('careless'), scopeMetrics: [{ scope: { name: 'careless' }, metrics }] }]
  })
  let sent: string | undefined
  while (sent === undefined) {
    await delay(50)
    sent = bodies.find(body => body.includes('of.one'))
  }
  t.ok(sent.includes(Buffer.from(traceId, 'hex').toString('latin1')), 'the trace')
  t.notMatch(sent, 'SECRET')
})

test('a batch of wide spans arrives, though it is larger than the 4 MiB that a gRPC server takes by itself', async t => {
  const stack = await startStack()
  t.teardown(() => stack.stop())
  const traceId = '6b8aa5a2d2c872e8321cf37308d69df1'
  const spanId = (index: number): string => (index + 1).toString(16).padStart(16, '0')
  const spans = Array.from({ length: 2000 }, (_, index) => ({
    traceId,
    spanId: spanId(index),
    ...(index > 0 && { parentSpanId: spanId(0) }),
    name: index === 0 ? 'root' : 'wide',
    startTimeUnixNano: nanoseconds(10),
    endTimeUnixNano: nanoseconds(),
    attributes: [1, 2, 3, 4].map(part => attribute(`part.${part}`, 'x'.repeat(1024)))
  }))
  // In one piece of the Collector's, as several senders at once would make it.
  await send(`${stack.otlpHttp}/v1/traces`, {
    resourceSpans: [{ resource: resource('wide'), scopeSpans: [{ scope: { name: 'wide' }, spans }] }]
  })
  const [trace] = await fetchTraces(stack.jaegerUrl, 'wide', 'root', 1)
  t.equal(trace?.spans.length, spans.length)
})

/** The Collector alone, with somebody else in the place of Prometheus; returns where it takes OTLP over HTTP. */
async function startCollector(t: Test, prometheusUrl: string): Promise<string> {
  const [program] = programs
  if (program === undefined) throw new Error('no Collector')
  const [file = ''] = await findBinaries([program])
  const addresses = { ...(await chooseAddresses({})), PROMETHEUS_URL: prometheusUrl }
  const folder = await mkdtemp(join(tmpdir(), 'collector-'))
  const { arguments: given, health } = program.run(addresses, folder)
  const logFile = join(folder, 'log')
  const child = await startChild({ name: program.name, file, arguments: given, environment: addresses, logFile })
  t.teardown(async () => {
    await child.stop()
    await rm(folder, { recursive: true, force: true })
  })
  while (
    !(await fetch(health).then(
      ({ ok }) => ok,
      () => false
    ))
  ) {
    if (!child.isRunning()) throw new Error(await child.lastLines())
    await delay(50)
  }
  return `http://${addresses.COLLECTOR_HTTP}`
}
