import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'tap'
import { runNode } from '../node.js'
import { freePort } from '../port.js'
import { histogramsOf, parseText } from './text.js'

const app = (url: string): string => `
  import { request, Agent } from 'node:http'
  import { setTimeout as delay } from 'node:timers/promises'
  import { getAllMetrics, trackCacheHit } from 'mercurius-performance'
  const agent = new Agent({ keepAlive: true })
  const get = (url, method = 'GET') => new Promise(resolve => {
    const asked = request(url, { agent, method }, response => {
      let body = ''
      response.on('data', chunk => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], body }))
    })
    asked.on('error', error => resolve({ status: error.code })).end()
  })
  for (let index = 0; index < 3; index += 1) trackCacheHit(0.01, 'labels')
  await delay(100)
  const answers = []
  for (const [url, method] of ${url}) answers.push(await get(url, method))
  console.log(JSON.stringify(answers))
`

interface Answer {
  readonly status: number | string
  readonly type?: string
  readonly body?: string
}

async function run(urls: readonly (readonly [string, string?])[], environment: Record<string, string>) {
  const given = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app(JSON.stringify(urls))]
  const began = Date.now()
  const { code, stdout, stderr } = await runNode(given, { OTEL_LOG_LEVEL: 'warn', ...environment })
  return { code, stderr, answers: JSON.parse(stdout) as Answer[], took: Date.now() - began }
}

for (const [title, named] of [
  ['OTEL_EXPORTER_PROMETHEUS_PORT alone', {}],
  ['OTEL_METRICS_EXPORTER=prometheus', { OTEL_METRICS_EXPORTER: 'prometheus' }]
] as const) {
  test(`${title} opens a port of its own, without a login, on the loopback address`, async t => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const others = Object.values(networkInterfaces())
      .flatMap(addresses => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => [`http://${address}:${port}/metrics`] as const)
    const { code, stderr, answers, took } = await run(
      [[`${url}/metrics`], [`${url}/metrics?name=x`], [`${url}/`], [`${url}/metrics`, 'POST'], ...others],
      { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), ...named }
    )
    t.strictSame([code, stderr], [0, ''])
    const [metrics, again, root, posted, ...elsewhere] = answers
    t.match(metrics, { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
    const families = parseText(metrics?.body ?? '')
    t.match(histogramsOf(families.get('mercurius_performance_cache_duration_seconds')), [
      { labels: { cache_name: 'labels', cache_outcome: 'hit' }, count: 3 }
    ])
    t.equal(families.get('target_info')?.samples.length, 1)
    t.equal(again?.status, 200)
    t.equal(root?.status, 404)
    t.equal(posted?.status, 405)
    for (const answer of elsewhere) t.equal(answer.status, 'ECONNREFUSED')
    t.ok(took < 5000, 'neither the port nor a connection that is kept alive holds the process')
  })
}

test('a port that is taken is one line, and nothing else happens', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await run([], { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) })
  t.equal(code, 0)
  t.match(stderr, new RegExp(`^no Prometheus metrics on 127.0.0.1, port ${port}: .*EADDRINUSE.*\n$`))
})

test('with OTEL_SDK_DISABLED or none there is no port', async t => {
  for (const off of [
    { OTEL_SDK_DISABLED: 'true' },
    { OTEL_METRICS_EXPORTER: 'none' },
    { PERFORMANCE_ENABLED: 'false' }
  ]) {
    const port = await freePort()
    const environment = { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), ...off }
    const { answers } = await run([[`http://127.0.0.1:${port}/metrics`]], environment)
    t.match(answers, [{ status: 'ECONNREFUSED' }])
  }
})
