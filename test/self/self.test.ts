import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { manualClock } from '../clock.js'
import { breakRecording, spanSource, type Source } from '../spans/spans.js'

const broken = (): never => {
  throw new Error('broken')
}

/** 23 spans of five kinds. */
function request({ operation, resolver, query, span, start }: Source): void {
  const running = operation('IssueList')
  for (let index = 0; index < 10; index += 1) resolver('Issue', `field${index % 5}`, running)
  for (let index = 0; index < 8; index += 1) query(`SELECT * FROM issues WHERE id = ${index}`, running)
  span('GET /graphql', { 'http.request.method': 'GET' })
  span('pg.connect', { 'db.system.name': 'postgresql' })
  span('failed', {}, { failed: true })
  start('never ended', {})
  span('graphql.parse', { 'graphql.source': '{ issues }' })
  running.end()
}

test('spans processed are those that ended, to the unit', t => {
  const source = spanSource()
  for (let index = 0; index < 400; index += 1) request(source)
  const { self, resolvers, queries, operations } = source.monitor.snapshot()
  t.match(self, { spansProcessed: 400 * 23, spansDropped: 0, overflowed: 0, faults: 0, isTripped: false })
  const rows = [...resolvers, ...queries, ...operations]
  t.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    400 * (23 - 4),
    'of which four in 23 are no measurements'
  )
  t.match(self, { budget: null, detail: 'FULL', sampleRate: 1 })
  t.ok(self.nanosecondsPerSpan > 0)
  t.ok(self.storeBytes > 0)
  source.monitor.close()
  t.end()
})

test('faults, what they drop and what is refused while tripped are counted to the unit', t => {
  const clock = manualClock()
  const source = spanSource({}, { clock })
  const { monitor, resolver } = source
  const recording = breakRecording(monitor)
  recording.isBroken = false
  for (let index = 0; index < 30; index += 1) resolver('Query', 'issues')
  recording.isBroken = true
  for (let index = 0; index < 70; index += 1) resolver('Query', 'issues')
  t.match(monitor.snapshot().self, { spansProcessed: 30, spansDropped: 70, faults: 70, isTripped: false })
  for (let index = 0; index < 1000; index += 1) resolver('Query', 'issues')
  t.match(monitor.snapshot().self, { spansProcessed: 30, spansDropped: 1070, faults: 100, isTripped: true })
  recording.isBroken = false
  for (let index = 0; index < 5; index += 1) resolver('Query', 'issues')
  t.match(monitor.snapshot().self, { spansProcessed: 30, spansDropped: 1075, faults: 100 })
  clock.advance(61)
  for (let index = 0; index < 7; index += 1) resolver('Query', 'issues')
  t.match(monitor.snapshot().self, { spansProcessed: 37, spansDropped: 1075, faults: 100, isTripped: false })
  t.match(monitor.snapshot().resolvers, [{ count: 37 }])
  monitor.close()
  t.end()
})

test('what succeeds beside them, or has nothing to record, does not hide that every measurement fails', t => {
  const { monitor, resolver, span } = spanSource()
  breakRecording(monitor)
  for (let index = 0; index < 100; index += 1) {
    resolver('Query', 'issues')
    span('GET /graphql', { 'http.request.method': 'GET' })
    monitor.trackCacheHit(0.001)
  }
  t.match(monitor.snapshot().self, { faults: 100, isTripped: true })
  monitor.close()
  t.end()
})

test('a call of a cache that says nothing that could be measured is refused and never switches measuring off', t => {
  const { monitor, resolver } = spanSource()
  const errors: unknown[] = []
  const write = ({ err }: { err?: unknown }): unknown => errors.push(err)
  monitor.logger = { info: write, warn: write, error: write }
  const slips: [seconds: unknown, name: unknown][] = [
    [0.001, 42],
    [0.001, null],
    [0.001, { toString: null }],
    [0.001, Symbol('labels')],
    [5n, 'labels'],
    ['0.001', 'labels'],
    [null, 'labels'],
    [Symbol('seconds'), 'labels'],
    [NaN, 'labels']
  ]
  for (const [seconds, name] of slips) {
    for (let index = 0; index < 100; index += 1) monitor.trackCacheHit(seconds as number, name as string)
  }
  resolver('Query', 'issues')
  t.match(monitor.snapshot().self, { faults: 100 * slips.length, isTripped: false })
  t.match(monitor.snapshot(), { cache: { hits: 0 }, resolvers: [{ count: 1 }] })
  t.match(errors, [{ name: 'TypeError', message: 'the cache of a hit is called 42, a number: expected text' }])
  monitor.close()
  t.end()
})

test('a fault at the start of a span drops nothing of it', t => {
  const { monitor, resolver } = spanSource()
  Object.assign(monitor.operations, { started: broken })
  for (let index = 0; index < 20; index += 1) resolver('Query', 'issues')
  t.match(monitor.snapshot().self, { spansProcessed: 20, spansDropped: 0, faults: 20 })
  monitor.close()
  t.end()
})

test('what is not measured on purpose is neither processed nor dropped', t => {
  const source = spanSource({ enabled: false })
  request(source)
  t.match(source.monitor.snapshot().self, { spansProcessed: 0, spansDropped: 0 })
  source.monitor.configure({ enabled: true })
  request(source)
  t.match(source.monitor.snapshot().self, { spansProcessed: 23, spansDropped: 0 })
  source.monitor.close()
  t.end()
})

test('measurements in overflow series are counted to the unit, in every dimension', async t => {
  const { monitor, resolver, query, operation } = spanSource({}, { seriesLimit: 100 })
  await monitor.sql.ready
  for (let index = 0; index < 150; index += 1) {
    resolver('Attack', `field${index}`)
    query(`SELECT * FROM table${index}`)
    operation(`Operation${index}`).end()
    monitor.trackCacheHit(0.001, `cache${index}`)
    monitor.trackCacheMiss(0.001, `cache${index}`)
  }
  t.equal(monitor.snapshot().self.overflowed, 6 * 50)
  resolver('Attack', 'field3')
  resolver('Attack', 'field149')
  const { self, resolvers, queries, operations } = monitor.snapshot()
  t.equal(self.overflowed, 6 * 50 + 1)
  const others = [...resolvers, ...queries, ...operations].filter(({ name }) => name === '(other)')
  t.strictSame(
    others.map(({ count }) => count),
    [51, 50, 50]
  )
  t.equal(self.spansProcessed, 3 * 150 + 2, 'calls of caches are no spans')
  monitor.close()
})

test('a snapshot without self goes not through the store for its size', t => {
  const { monitor, resolver } = spanSource()
  resolver('Query', 'issues')
  t.equal(monitor.snapshot({ include: ['resolvers'] }).self.storeBytes, 0)
  t.equal(monitor.snapshot({ include: ['resolvers'] }).self.spansProcessed, 1)
  t.ok(monitor.snapshot({ include: ['self'] }).self.storeBytes > 1000)
  monitor.close()
  t.end()
})

test('above its budget the monitor times fewer resolver calls and counts them all; without one it times all', async t => {
  const { monitor, span } = spanSource({ overheadBudget: 1e-6 })
  const lines: string[] = []
  const write = (_: object, message: string) => lines.push(message)
  monitor.logger = { info: write, warn: write, error: write }
  const attributes = { 'graphql.field.name': 'issues', 'graphql.parent.name': 'Query', 'graphql.source': 'issues' }
  let sent = 0
  const load = (): void => {
    for (let index = 0; index < 500; index += 1) span('graphql.resolve', attributes, { failed: sent++ % 10 === 0 })
  }
  const loadUntil = async (detail: string): Promise<void> => {
    while (monitor.snapshot({ include: [] }).self.detail !== detail) {
      load()
      await delay(10)
    }
  }
  const before = monitor.snapshot().self
  await loadUntil('WITHOUT_CONTEXT')
  t.strictSame([monitor.detail.context, monitor.detail.sampleEvery], [false, 1])
  await loadUntil('SAMPLED')
  t.strictSame([monitor.detail.context, monitor.detail.sampleEvery], [false, 2])
  for (let round = 0; round < 20; round += 1) load()
  const { resolvers, self } = monitor.snapshot()
  t.match(resolvers, [{ name: 'Query.issues', count: sent, errorCount: sent / 10 }])
  t.match(self, { spansProcessed: sent, spansDropped: 0, budget: 1e-6, sampleRate: 0.5 })
  t.ok(self.overhead > 1e-6)
  t.ok(self.detailSince > before.detailSince)
  t.match(lines, [/with a budget of 0.0001%: SQL is attributed/, /one resolver call in 2 is timed/])

  monitor.configure({ overheadBudget: 0 })
  await loadUntil('FULL')
  t.match(monitor.snapshot().resolvers, [{ count: sent, errorCount: sent / 10 }])
  t.match(lines.at(-1), /everything is measured again/)
  monitor.close()
})
