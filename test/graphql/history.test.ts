import fastify from 'fastify'
import { mercurius } from 'mercurius'
import { test } from 'tap'
import { resolveConfig } from '../../src/config.js'
import { addMetricsField } from '../../src/graphql/fields.js'
import { createMonitor } from '../../src/monitor.js'

const asked = [
  ['(scope: FLEET) { resolvers { name } }', 'scope FLEET'],
  ['(from: "-5m") { cache { hits } }', 'a range'],
  ['(to: "now") { cache { hits } }', 'a range'],
  ['{ history(kind: RESOLVER, name: "Query.users") { count } }', 'a range'],
  ['{ instances { name } }', 'instances']
] as const

test('what needs history says how to switch it on, and the rest answers without', async t => {
  const monitor = createMonitor(resolveConfig({}))
  const app = fastify()
  t.teardown(async () => {
    monitor.close()
    await app.close()
  })
  await app.register(mercurius, { schema: 'type Query { hello: String }' })
  await addMetricsField(app.graphql, { reader: monitor, authorize: () => true, timingForAdministratorsOnly: false })
  for (const [selection, what] of asked) {
    const { errors } = await app.graphql(`{ _performanceMetrics${selection} }`)
    t.match(
      errors,
      [
        {
          message: `${what} needs history, which is off: set PERFORMANCE_HISTORY=on, and PERFORMANCE_HISTORY_URL or DATABASE_URL`,
          extensions: { code: 'MPERF_HISTORY_OFF' }
        }
      ],
      selection
    )
  }
  const { data } = await app.graphql(
    '{ _performanceMetrics(scope: INSTANCE) { resolvers { name } self { history { state } } } }'
  )
  t.strictSame(JSON.parse(JSON.stringify(data)), { _performanceMetrics: { resolvers: [], self: { history: null } } })
})
