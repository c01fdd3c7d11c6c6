/** otel-collector.yaml by itself, with hand-made OTLP from services that are less careful than ours. */
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { startStack } from '../../stack/stack.js'
import { fetchTraces, tagOf } from './jaeger.js'

const nanoseconds = (millisecondsAgo = 0): string => `${Date.now() - millisecondsAgo}000000`
const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const list = (key: string, ...texts: string[]) => ({
  key,
  value: { arrayValue: { values: texts.map(stringValue => ({ stringValue })) } }
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
  attribute('db.query.parameter.0', 'SECRET'),
  attribute('graphql.variables.input', '{"name":"SECRET"}'),
  attribute('url.query', 'name=SECRET'),
  attribute('url.full', 'https://example.com/graphql?query={user(name:"SECRET")}'),
  attribute('http.target', '/graphql?query=SECRET'),
  attribute('session_token', 'SECRET\nSECRET'),
  attribute('user.apiKey', 'SECRET'),
  attribute('note', 'cannot reach postgres://app:SECRET@db:5432/app'),
  list('notes', 'fine', 'redis://:SECRET@cache:6379'),
  attribute('dsn', 'host=db user=app password=SECRET dbname=app'),
  attribute('log', 'sent Authorization: Bearer SECRETabcdef.ghi'),
  attribute('jwt', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SECRET'),
  attribute('key.pem', '-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----')
]
const harmless = [
  attribute('db.query.text', 'SELECT id FROM users WHERE password = $1 AND token=? AND name ILIKE $2'),
  attribute('graphql.source', '{ login(password: "*") { id } }'),
  attribute('url.path', '/graphql'),
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
    events: [{ timeUnixNano: nanoseconds(), name: 'exception', attributes: exception }]
  }
  const refused = { ...ids, ...times, spanId: '051581bf3cb55c14', parentSpanId: ids.spanId, name: 'refused' }
  const spans = [failed, { ...refused, status: { code: 2, message: '23505' } }]
  await send(`${stack.otlpHttp}/v1/traces`, {
    resourceSpans: [{ resource: resource(service), scopeSpans: [{ scope: { name: 'careless' }, spans }] }]
  })

  const [trace] = await fetchTraces(stack.jaegerUrl, service, 'failed', 1)
  t.notMatch(JSON.stringify(trace), /SECRET/)
  const tags = trace?.spans.find(({ operationName }) => operationName === 'failed')?.tags ?? []
  for (const { key, value } of harmless) t.equal(tagOf(tags, key), value.stringValue, key)
  t.equal(tagOf(tags, 'rows'), 42)
  t.equal(tagOf(tags, 'url.full'), 'https://example.com/graphql')
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
      positive: { offset: -320, bucketCounts: ['1', '2', '3', '4'] },
      exemplars: [{ timeUnixNano: nanoseconds(), asDouble: 0.032, filteredAttributes: [attribute('name', 'SECRET')] }]
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
