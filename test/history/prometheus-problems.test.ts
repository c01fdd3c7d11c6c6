import '../preload.js'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { PrometheusClient } from '../../src/history/prometheus/client.js'
import { prometheusProblemOf } from '../../src/history/prometheus/problems.js'
import { findFreePort } from '../postgres.js'
import { ask, service, TOKEN } from '../service.js'

const SECRET = 'hunter2:/?#@secret'
const QUESTION = 'a_question'
const EMPTY = '{"status":"success","data":{"resultType":"vector","result":[]}}'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** What listens like Prometheus; returns the URL to read from, with a user and a password in it. */
async function listen(t: Test, answer: Answer, prefix = ''): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      answer(request, response, body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return `prometheus+http://reader:${encodeURIComponent(SECRET)}@127.0.0.1:${port}${prefix}`
}

async function problemAt(url: string, limit?: AbortSignal): Promise<string> {
  const client = new PrometheusClient(url)
  try {
    await client.instant(QUESTION, 0, limit ?? client.limit())
  } catch (error) {
    return prometheusProblemOf(error)
  }
  return 'none'
}

test('a question goes to the API below the prefix, with user and password', async t => {
  const seen: unknown[] = []
  const url = await listen(
    t,
    ({ method, url, headers: { authorization = '' } }, response, body) => {
      seen.push([method, url, Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()])
      seen.push(new URLSearchParams(body).get('query'))
      response.end(EMPTY)
    },
    '/thanos/'
  )
  t.strictSame(await new PrometheusClient(url).instant(QUESTION, 1, AbortSignal.timeout(5000)), [])
  t.strictSame(seen, [['POST', '/thanos/api/v1/query', `reader:${SECRET}`], QUESTION])
})

test('what is wrong with Prometheus is said in one line that quotes nothing', async t => {
  const answers = new Map<string, [status: number, body: string, expected: RegExp]>([
    ['a question it does not understand', [400, '{"errorType":"bad_data"}', /does not understand.*\(400\)$/]],
    ['a wrong password', [401, SECRET, /correct user and password in PERFORMANCE_HISTORY_URL \(401\)$/]],
    ['a user who may not', [403, SECRET, /this user may not ask.*\(403\)$/]],
    ['another path', [404, SECRET, /there is no Prometheus API.*\(404\)$/]],
    ['too many samples', [422, SECRET, /a shorter range.*\(422\)$/]],
    ['too slow a question', [503, SECRET, /--query\.timeout \(503\)$/]],
    ['a status nobody thought of', [418, SECRET, /^asking Prometheus failed with 418$/]],
    ['a page', [200, '<html>log in</html>', /is no Prometheus API.*\(FOREIGN\)$/]],
    ['another API', [200, '{"data":{"viewer":null}}', /is no Prometheus API.*\(FOREIGN\)$/]],
    ['another API, a list', [200, '[]', /is no Prometheus API.*\(FOREIGN\)$/]],
    ['another API, null', [200, 'null', /is no Prometheus API.*\(FOREIGN\)$/]]
  ])
  for (const [name, [status, body, expected]] of answers) {
    const url = await listen(t, (_request, response) => response.writeHead(status).end(body))
    const problem = await problemAt(url)
    t.match(problem, expected, name)
    t.notMatch(problem, /hunter2|secret|127\.0|a_question|\n/, name)
  }
  const refused = await problemAt(
    `prometheus+http://reader:${encodeURIComponent(SECRET)}@127.0.0.1:${await findFreePort()}`
  )
  t.match(refused, /^nothing accepts connections there: start Prometheus.*\(ECONNREFUSED\)$/)
  const silent = await listen(t, () => undefined)
  t.match(await problemAt(silent, AbortSignal.timeout(50)), /did not answer in ten seconds/)
  const cut = await listen(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{')
    response.destroy()
  })
  t.match(await problemAt(cut), /connection was lost/)
})

test('no answer is read for longer than 64 MiB', async t => {
  let sent = 0
  const url = await listen(t, (_request, response) => {
    const part = Buffer.alloc(1024 * 1024, ' ')
    const more = (): void => {
      if (response.destroyed) return
      sent += part.length
      response.write(part, more)
    }
    more()
  })
  t.match(await problemAt(url), /larger than 64 MiB.*\(TOO_LARGE\)$/)
  t.ok(sent < 96 * 1024 * 1024, `${sent} bytes were sent`)
})

test('a URL that is none stops the start, and is not shown', t => {
  for (const url of [
    'prometheus+http://',
    'prometheus+http://user:hunter2@ho st',
    'prometheus+http://u:%ZZhunter2@host'
  ]) {
    t.throws(() => new PrometheusClient(url), {
      code: 'MPERF_CONFIG_INVALID',
      message: /prometheus\+http:\/\/user:password@host/
    })
    t.throws(() => new PrometheusClient(url), { message: /^(?!.*hunter2)/ })
  }
  t.end()
})

test('while Prometheus is away, questions say so and the application serves on', async t => {
  const url = `prometheus+http://reader:hunter2@127.0.0.1:${await findFreePort()}`
  process.env.OTEL_SERVICE_NAME = 'tracker'
  t.teardown(() => {
    delete process.env.OTEL_SERVICE_NAME
  })
  const schema = 'type Query { hello: String }'
  const resolvers = { Query: { hello: () => 'hello' } }
  const app = await service({ schema, resolvers }, { history: { url }, adminToken: TOKEN })
  t.teardown(() => app.close())
  const answer = await ask(app, '{ _performanceMetrics(scope: FLEET) { resolvers { name } } }')
  t.match(answer, { errors: [{ extensions: { code: 'MPERF_HISTORY_UNAVAILABLE' } }] })
  t.match(JSON.stringify(answer), /nothing accepts connections there: start Prometheus/)
  t.notMatch(JSON.stringify(answer), /hunter2|127\.0\.0\.1/)
  t.match(await ask(app, '{ hello _performanceMetrics { self { history { state problem lastWritten } } } }'), {
    data: {
      hello: 'hello',
      _performanceMetrics: { self: { history: { state: 'READING', problem: null, lastWritten: null } } }
    }
  })
})
