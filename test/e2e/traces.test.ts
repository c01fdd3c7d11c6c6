/** Tracker -> Collector -> Jaeger, all of them real, as Jaeger tells it. */
import { randomBytes } from 'node:crypto'
import { test, type Test } from 'tap'
import { startStack, type Stack } from '../../stack/stack.js'
import { usePostgres } from '../postgres.js'
import { run } from '../tracker/process.js'
import { post } from '../tracker/tracker.js'
import { fetchTraces, lineOf, parentOf, tagOf, type JaegerSpan, type JaegerTrace } from './jaeger.js'

/** Texts that must come back from the Tracker and from nowhere else. */
const planted = {
  literal: secret('literal'),
  variable: secret('variable'),
  searched: secret('searched'),
  searchedLiteral: secret('searched-literal'),
  failed: secret('failed'),
  url: secret('url'),
  header: secret('header')
}

const search = `query Search($filter: IssueFilter!) {
  issues(filter: $filter, first: 5) { totalCount edges { node { title author { name } comments { body } } } }
}`
const add = `mutation Add($body: String!) {
  addComment(input: { issueId: "1", authorId: "1", body: $body }) { body issue { title } }
}`
const create = `mutation Create {
  createIssue(input: { projectId: "1", authorId: "1", title: "${planted.literal}" }) { title }
}`
const fail = `mutation Fail { addComment(input: { issueId: "999999", authorId: "1", body: "${planted.failed}" }) { body } }`
const searchLiteral = `query SearchLiteral { issues(filter: { search: "${planted.searchedLiteral}" }) { totalCount } }`

/** Often enough for graphql-jit to have compiled each. */
const ROUNDS = 3

test('one trace in Jaeger tells the whole request', async t => {
  const stack = await startStack({
    report: line => {
      t.comment(line)
    }
  })
  t.teardown(() => stack.stop())
  const postgres = await usePostgres(t)

  for (const [engine, jit] of [
    ['graphql-js', '0'],
    ['graphql-jit', '1']
  ] as const) {
    for (const protocol of ['grpc', 'http/protobuf'] as const) {
      await t.test(`${engine}, over ${protocol}`, async t => {
        const service = `tracker-${engine}-${protocol.replace('/', '-')}`
        await useTracker(t, stack, postgres.url, {
          OTEL_SERVICE_NAME: service,
          TRACKER_JIT: jit,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol
        })
        await checkTraces(t, stack, service)
      })
    }
  }
})

/** Asks a Tracker of its own all operations, and ends it. */
async function useTracker(
  t: Test,
  stack: Stack,
  databaseUrl: string,
  environment: Record<string, string>
): Promise<void> {
  const endpoint = environment.OTEL_EXPORTER_OTLP_PROTOCOL === 'grpc' ? stack.otlpGrpc : stack.otlpHttp
  const tracker = run(t, 'main.js', [], {
    PORT: '0',
    DATABASE_URL: databaseUrl,
    PERFORMANCE_LOG_ALL_METRICS: 'false',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=end-to-end,service.version=1.2.3',
    ...environment
  })
  const printed = await tracker.printed(/answers at http:\S+/)
  const [url = ''] = /http:\S+\/graphql/.exec(printed) ?? []
  const ask = (query: string, variables: Record<string, unknown> = {}) =>
    post(`${url}?token=${planted.url}`, { query, variables }, { authorization: `Bearer ${planted.header}` })

  t.match(await ask(create), { data: { createIssue: { title: planted.literal } } })
  for (let round = 0; round < ROUNDS; round += 1) {
    t.match(await ask(search, { filter: { search: planted.literal } }), { data: { issues: { totalCount: Number } } })
    t.match(await ask(search, { filter: { search: planted.searched } }), { data: { issues: { totalCount: 0 } } })
    t.match(await ask(searchLiteral), { data: { issues: { totalCount: 0 } } })
    t.match(await ask(add, { body: planted.variable }), { data: { addComment: { body: planted.variable } } })
    t.match(await ask(fail), { errors: [{ message: 'there is no such issue' }] })
  }
  // Ending it sends what waits to be sent.
  tracker.child.kill('SIGTERM')
  t.match(await tracker.ended(), { code: 0, stderr: '' })
}

async function checkTraces(t: Test, stack: Stack, service: string): Promise<void> {
  const counts = {
    'query Search': 2 * ROUNDS,
    'query SearchLiteral': ROUNDS,
    'mutation Add': ROUNDS,
    'mutation Fail': ROUNDS
  }
  for (const [operation, count] of Object.entries(counts)) {
    const traces = await fetchTraces(stack.jaegerUrl, service, operation, count)
    t.equal(traces.length, count, `${count} traces of ${operation}`)
    for (const trace of traces) checkTrace(t, trace, operation, service)
  }
  const everything = await (await fetch(`${stack.jaegerUrl}/api/traces?service=${service}&limit=1000`)).text()
  t.match(everything, /pg\.query/)
  for (const [name, text] of Object.entries(planted)) t.notOk(everything.includes(text), `no ${name}`)
  t.notMatch(everything, /hunter2|plant/, 'no password of the database, nor any part of what was planted')
}

function checkTrace(t: Test, trace: JaegerTrace, operation: string, service: string): void {
  const named = (pattern: RegExp): JaegerSpan[] => trace.spans.filter(span => pattern.test(span.operationName))
  const kindOf = (span: JaegerSpan | undefined) => tagOf(span?.tags ?? [], 'span.kind')

  const [root, ...others] = trace.spans.filter(span => parentOf(span) === undefined)
  t.match([root?.operationName, kindOf(root), others.length], ['POST', 'server', 0], 'one root: the request')
  t.equal(tagOf(root?.tags ?? [], 'url.path'), '/graphql')

  const [execution] = named(new RegExp(`^${operation}$`))
  t.strictSame(execution && lineOf(execution, trace), [operation, 'POST'], 'the operation is in the request')

  const resolvers = named(/^graphql\.resolve /)
  const queries = named(/^pg\.query/)
  t.ok(resolvers.length > 0 && queries.length > 0, `${resolvers.length} resolvers, ${queries.length} queries`)
  for (const span of resolvers) {
    t.strictSame(lineOf(span, trace).slice(-2), [operation, 'POST'], `${span.operationName} is in the operation`)
  }
  for (const span of queries) {
    const line = lineOf(span, trace)
    t.match(line[1], /^graphql\.resolve /, `the parent of ${String(tagOf(span.tags, 'db.query.text'))} is a resolver`)
    t.strictSame([kindOf(span), ...line.slice(-2)], ['client', operation, 'POST'])
  }

  const process = trace.processes[root?.processID ?? '']
  t.equal(process?.serviceName, service)
  const resource = ['service.version', 'deployment.environment.name', 'telemetry.sdk.language', 'process.command_line']
  t.strictSame(
    resource.map(key => tagOf(process?.tags ?? [], key)),
    ['1.2.3', 'end-to-end', 'nodejs', undefined]
  )
  t.ok(
    trace.spans.every(({ processID }) => processID === root?.processID),
    'all of one resource'
  )
}

function secret(name: string): string {
  return `planted-${name}-${randomBytes(6).toString('hex')}`
}
