import { test } from 'tap'
import { runNode } from './node.js'
import { exportTo, startReceiver } from './otlp.js'

const service = (ending: string): string => `
  import Fastify from 'fastify'
  import mercurius from 'mercurius'
  import mercuriusPerformance, { getAllMetrics } from 'mercurius-performance'
  const app = Fastify()
  const resolvers = { Query: {
    hello: async (_, { name }) => 'hello ' + name,
    broken: async () => { throw new Error('no such user: hunter2') }
  } }
  await app.register(mercurius, { schema: 'type Query { hello(name: String): String broken: String }', resolvers })
  await app.register(mercuriusPerformance)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = query => fetch(url + '/graphql?token=hunter2', {
    method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body: JSON.stringify({ query })
  }).then(response => response.text())
  for (let index = 0; index < 5; index += 1) await ask('query Hello { hello(name: "hunter2") } # hunter2')
  await ask('query Broken { broken }')
  await ask('query Invalid { hello(name: 42, other: "hunter2") }')
  await fetch(url + '/graphql?query=' + encodeURIComponent('{ hello(name: "hunter2") }'), { headers: { connection: 'close' } })
  console.log(JSON.stringify(getAllMetrics().operations.map(({ name, count }) => [name, count])))
  ${ending}
`

const given = (ending: string): string[] => [
  '--import',
  'mercurius-performance/register',
  '--input-type=module',
  '-e',
  service(ending)
]

test('Future Enhancements, Tracing Integration: the same spans leave over OTLP, all of them, when the app closes', async t => {
  const received = await startReceiver(t)
  const environment = exportTo(received)
  const { code, stdout, stderr } = await runNode(given('await app.close(); process.exit(0)'), environment)
  t.strictSame([code, stderr], [0, ''])
  t.match(stdout, '["Hello",5],["Broken",1]')
  const count = (name: string): number => received.spans.filter(span => span.name === name).length
  t.equal(count('query Hello'), 5)
  t.equal(count('graphql.resolve Query.hello'), 6)
  t.equal(count('query Broken'), 1)
  t.ok(received.spans.some(({ name }) => name.startsWith('POST')))
  t.notMatch(received.body, 'hunter2', 'no literal, no query of a URL, no text of an error')
})

test('spans also leave when the process ends by itself', async t => {
  const received = await startReceiver(t)
  const environment = exportTo(received)
  const { code } = await runNode(given('app.server.close(); app.server.closeAllConnections()'), environment)
  t.equal(code, 0)
  t.equal(received.spans.filter(({ name }) => name === 'query Hello').length, 5)
})

test('what is exported while measuring is switched off holds no comment of a client either', async t => {
  const received = await startReceiver(t)
  const ending = `
    app.performance.configure({ enabled: false })
    await ask('query Off { hello(name: "hunter2") } # hunter2')
    await app.close()
    process.exit(0)`
  t.match(await runNode(given(ending), exportTo(received)), { code: 0, stderr: '' })
  const [off] = received.spans.filter(({ name }) => name === 'query Off')
  const source = off?.attributes.find(({ key }) => key === 'graphql.source')?.value.stringValue
  t.equal(source, 'query Off { hello(name: "*") }')
  t.notMatch(received.body, 'hunter2')
})

test('what is not sampled is counted all the same, and not exported', async t => {
  const received = await startReceiver(t)
  const environment = {
    ...exportTo(received),
    OTEL_TRACES_SAMPLER: 'always_off',
    PERFORMANCE_SLOW_TRACES_PER_MINUTE: '0'
  }
  const { stdout } = await runNode(given('await app.close(); process.exit(0)'), environment)
  t.match(stdout, '["Hello",5],["Broken",1]')
  t.strictSame(received.spans, [])
})

test('a dead endpoint fails no request and delays the end by two seconds at most', async t => {
  const started = Date.now()
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_BSP_SCHEDULE_DELAY: '100' }
  const { code, stdout } = await runNode(given('await app.close(); process.exit(0)'), environment)
  t.equal(code, 0)
  t.match(stdout, '["Hello",5]')
  t.ok(Date.now() - started < 8000)
})

test('under graphql-jit the same spans leave, in the same places', async t => {
  const received = await startReceiver(t)
  const app = `
    import Fastify from 'fastify'
    import mercurius from 'mercurius'
    import mercuriusPerformance from 'mercurius-performance'
    const app = Fastify()
    const resolvers = { Query: { user: async () => ({ id: 1 }) }, User: {
      name: async () => 'Ada', broken: async () => { throw new Error('hunter2') }
    } }
    const schema = 'type Query { user: User } type User { id: ID name: String broken: String }'
    await app.register(mercurius, { jit: 1, schema, resolvers })
    await app.register(mercuriusPerformance)
    const payload = { query: 'query Both { user { id name broken } }' }
    for (let index = 0; index < 4; index += 1) await app.inject({ method: 'POST', url: '/graphql', payload })
    await app.close()
    process.exit(0)
  `
  const environment = exportTo(received)
  const preload = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app]
  t.match(await runNode(preload, environment), { code: 0, stderr: '' })
  const operations = received.spans.filter(({ name }) => name === 'query Both')
  t.equal(operations.length, 4, 'the first two executed by graphql-js, the others compiled')
  const comparable = operations.map(({ attributes, status, parentSpanId }) => ({
    attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue])),
    status,
    hasParent: parentSpanId !== undefined
  }))
  for (const operation of comparable) t.strictSame(operation, comparable[0])
  t.match(comparable[0], { attributes: { 'graphql.operation.name': 'Both' }, status: { code: 2 } })
  for (const operation of operations) {
    const names = received.spans.filter(({ parentSpanId }) => parentSpanId === operation.spanId).map(({ name }) => name)
    t.strictSame(
      names.sort(),
      ['Query.user', 'User.broken', 'User.name'].map(name => `graphql.resolve ${name}`)
    )
  }
})

for (const jit of [0, 1]) {
  test(`an operation has at most PERFORMANCE_MAX_RESOLVER_SPANS resolver spans and says how many it left out; jit: ${jit}`, async t => {
    const received = await startReceiver(t)
    const app = `
      import Fastify from 'fastify'
      import mercurius from 'mercurius'
      import mercuriusPerformance, { getAllMetrics } from 'mercurius-performance'
      import { trace } from '@opentelemetry/api'
      const query = () => trace.getTracer('test').startSpan('pg.query:SELECT test', {
        attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM tags' }
      }).end()
      const app = Fastify()
      const resolvers = {
        Query: { users: () => Array.from({ length: 30 }, (_, id) => ({ id })) },
        User: { name: async () => { query(); return 'Ada' } }
      }
      const schema = 'type Query { users: [User] } type User { id: ID name: String }'
      await app.register(mercurius, { jit: ${jit}, schema, resolvers })
      await app.register(mercuriusPerformance)
      const payload = { query: 'query Users { users { id name } }' }
      for (let index = 0; index < 4; index += 1) await app.inject({ method: 'POST', url: '/graphql', payload })
      const { resolvers: rows } = getAllMetrics()
      console.log(JSON.stringify(rows.map(({ name, count, sqlCount }) => [name, count, sqlCount]).sort()))
      await app.close()
      process.exit(0)
    `
    const environment = {
      ...exportTo(received),
      PERFORMANCE_MAX_RESOLVER_SPANS: '10'
    }
    const preload = ['--import', 'mercurius-performance/register', '--input-type=module', '-e', app]
    const { stdout, stderr } = await runNode(preload, environment)
    t.equal(stderr, '')
    t.strictSame(JSON.parse(stdout), [
      ['Query.users', 4, 0],
      ['User.name', 120, 120]
    ])
    const operations = received.spans.filter(({ name }) => name === 'query Users')
    t.equal(operations.length, 4)
    for (const { spanId, attributes } of operations) {
      const children = received.spans.filter(({ parentSpanId }) => parentSpanId === spanId)
      t.equal(children.filter(({ name }) => name.startsWith('graphql.resolve')).length, 10)
      t.strictSame(attributes.find(({ key }) => key === 'graphql.resolver.dropped_spans')?.value, { intValue: 21 })
      t.equal(
        children.filter(({ name }) => name.startsWith('pg.query')).length,
        21,
        'queries of calls that were left out'
      )
    }
    t.equal(received.spans.filter(({ name }) => name.startsWith('pg.query')).length, 120, 'no query is left out')
  })
}

test('an operation of a type that GraphQL has not is counted nowhere, and its spans are accounted for', async t => {
  const received = await startReceiver(t)
  const forge = `
    const document = { kind: 'Document', definitions: [{ kind: 'OperationDefinition', operation: 'forged'.repeat(1000),
      selectionSet: { kind: 'SelectionSet', selections: [{ kind: 'Field', name: { kind: 'Name', value: 'hello' } }] } }] }
    for (let index = 0; index < 3; index += 1) await ask(JSON.stringify(document))
    console.log(JSON.stringify(getAllMetrics().operations))
    await new Promise(resolve => setTimeout(resolve, 50))
    console.log('export ' + JSON.stringify(getAllMetrics().self.export))
    await app.close()
    process.exit(0)`
  const { code, stdout, stderr } = await runNode(given(forge), exportTo(received))
  t.strictSame([code, stderr], [0, ''])
  t.notMatch(stdout, 'forged')
  const account = JSON.parse(/^export (.*)$/m.exec(stdout)?.[1] ?? '{}') as Record<string, number>
  const { ended, exported = 0, dropped = 0, failed = 0, notSampled = 0, waiting = 0 } = account
  t.equal(ended, exported + dropped + failed + notSampled + waiting)
  t.ok(received.spans.filter(({ name }) => name.startsWith('POST')).length >= 10, 'the requests have their spans')
})
