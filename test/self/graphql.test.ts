import '../preload.js'
import { test } from 'tap'
import { processMonitor } from '../../src/process-monitor.js'
import type { SelfSnapshot } from '../../src/store/self-snapshot.js'
import { ask, service } from '../service.js'

const schema = 'type Query { hello: String }'
const resolvers = { Query: { hello: () => 'hello' } }
const query = `{ _performanceMetrics {
  self {
    spansProcessed spansDropped overflowed faults isTripped storeBytes nanosecondsPerSpan overhead budget detail
    sampleRate detailSince export { ended exported dropped failed notSampled waiting }
  }
  config { overheadBudget } } }`

interface Metrics {
  readonly _performanceMetrics: { readonly self: SelfSnapshot; readonly config: { readonly overheadBudget: number } }
}

test('the monitor answers for itself over GraphQL, with what the snapshot says', async t => {
  const app = await service({ schema, resolvers }, { overheadBudget: 0.25 })
  t.teardown(() => app.close())
  await ask(app, '{ hello }')
  app.performance.trackCacheHit(NaN)
  const { data, errors } = await ask<Metrics>(app, query)
  t.equal(errors, undefined)
  const { self, config } = data._performanceMetrics
  t.equal(config.overheadBudget, 0.25)
  t.match(self, { faults: 1, isTripped: false, budget: 0.25, detail: 'FULL', sampleRate: 1, overflowed: 0 })
  t.ok(self.storeBytes > 1000)
  t.equal(new Date(self.detailSince).toISOString(), self.detailSince)
  const { overhead, nanosecondsPerSpan, storeBytes, ...rest } = app.performance.snapshot().self
  t.match(self, rest)
  t.ok([overhead, nanosecondsPerSpan, storeBytes].every(Number.isFinite))

  app.performance.configure({ overheadBudget: 0 })
  t.equal((await ask<Metrics>(app, query)).data._performanceMetrics.self.budget, null)
})

test('who is no administrator learns nothing of it', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  const reads = t.capture(processMonitor(), 'snapshot')
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    t.match(await ask(app, query, headers), { data: null, errors: [{ extensions: { code: 'MPERF_FORBIDDEN' } }] })
  }
  t.equal(reads().length, 0)
})

test('asking for it counts as no work of the application', async t => {
  const app = await service({ schema, resolvers })
  t.teardown(() => app.close())
  for (let round = 0; round < 3; round += 1) await ask(app, query)
  const names = app.performance.snapshot().resolvers.map(({ name }) => name)
  t.notOk(names.some(name => name.startsWith('SelfMetrics') || name.startsWith('PerformanceMetrics')))
  t.equal(app.graphql.schema.getType('SelfMetrics')?.toString(), 'SelfMetrics')
  const fields = Object.keys(
    (app.graphql.schema.getType('SelfMetrics') as { getFields(): object } | undefined)?.getFields() ?? {}
  )
  t.notOk(fields.includes('_performance'), 'our own types carry no timing field')
})
