/** Scrapes are neither traced nor measured: what a real receiver of OTLP gets while Prometheus asks. */
import { test, type Test } from 'tap'
import { runNode } from '../node.js'
import { freePort } from '../port.js'
import { startReceiver } from './receiver.js'

const TOKEN = 'an-administrator-token-for-tests-only'

const service = (before: string): string => `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance from 'mercurius-performance'
  const app = Fastify()
  ${before}
  await app.register(mercurius, { schema: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'hello' } } })
  await app.register(mercuriusPerformance)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = { authorization: 'Bearer ${TOKEN}', connection: 'close' }
  const own = 'http://127.0.0.1:' + process.env.OTEL_EXPORTER_PROMETHEUS_PORT
  const answers = []
  for (let index = 0; index < 3; index += 1) {
    for (const asked of [own + '/metrics', own + '/elsewhere', url + '/metrics', url + '/metrics?name=x']) {
      answers.push((await fetch(asked, { headers })).status)
    }
  }
  await fetch(url + '/metrics', { method: 'POST', headers })
  await fetch(url + '/graphql?query={hello}', { headers })
  console.log(JSON.stringify(answers))
  await app.close()
  process.exit(0)
`

interface Seen {
  readonly answers: readonly number[]
  /** Of each server span, method and path. */
  readonly spans: readonly string[]
  /** How many requests HTTP's own histogram has. */
  readonly counted: number
}

async function seen(t: Test, before = ''): Promise<Seen> {
  const receiver = await startReceiver(t)
  const given = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', service(before)]
  const { code, stdout, stderr } = await runNode(given, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
    OTEL_SEMCONV_STABILITY_OPT_IN: 'http',
    PERFORMANCE_ADMIN_TOKEN: TOKEN
  })
  t.strictSame([code, stderr], [0, ''])
  const bodies = receiver.bodies.filter((_, index) => receiver.paths[index] === '/v1/traces')
  const metrics = new Map(receiver.exports.flat().map(metric => [metric.name, metric]))
  const points = metrics.get('http.server.request.duration')?.points ?? []
  return {
    answers: JSON.parse(stdout) as number[],
    spans: bodies.flatMap(body => serverSpansIn(body)).sort(),
    counted: points.reduce((sum, { count = 0 }) => sum + count, 0)
  }
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly kind: number
        readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
      }[]
    }[]
  }[]
}

function serverSpansIn(body: string): string[] {
  return (JSON.parse(body) as Traces).resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .filter(({ kind }) => kind === 2)
    .map(({ attributes }) =>
      ['http.request.method', 'url.path'].map(name => attributes.find(({ key }) => key === name)?.value.stringValue)
    )
    .map(parts => parts.join(' '))
}

test('scrapes are neither traced nor measured, other requests are', async t => {
  const { answers, spans, counted } = await seen(t)
  t.strictSame([...new Set(answers)].sort(), [200, 404])
  t.strictSame(spans, ['GET /graphql', 'POST /metrics'])
  t.equal(counted, 2)
})

test("a route GET /metrics of the app's own is a route like any other", async t => {
  const { spans, counted } = await seen(t, "app.get('/metrics', () => 'mine')")
  t.equal(spans.length, 8)
  t.equal(counted, 8)
})
