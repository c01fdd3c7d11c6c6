import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import { seed } from '../../dist/tracker/seed.js'
import { MEBIBYTE } from '../heap.js'
import { root } from '../node.js'
import { usePostgres } from '../postgres.js'
import { post } from '../tracker/tracker.js'
import { startCollector } from './collector.js'
import { drive, type Asked, type Window } from './load.js'
import { slopeOf, writeSoak, type Minute } from './soak-report.js'
import { askSelf, exportTo, startTracker, type Tracker } from './tracker.js'

const full = process.env.RELIABILITY === '1'
/** Spans a second: operations, resolver calls and SQL. */
const SPANS = full ? 10_000 : 1_000
const WINDOWS = full ? 60 : 4
const WINDOW_SECONDS = full ? 60 : 2
/** As long goes by before the first window, so that the store has all the slots that it will have. */
const RETENTION_SECONDS = full ? 600 : 4
const SHARE = 0.01
const SAMPLE = 20
/** A monitor may take so much of one core. */
const MOST_OVERHEAD = 0.2
const PATIENCE_MILLISECONDS = 30_000

const ISSUES: Asked = {
  query: `query Issues {
    issues(first: 20) { edges { node { id title author { name } assignee { name } labels { name } } } }
  }`,
  answer: '{"data":{"issues":{"edges":[{"node":{"id":"'
}

test('a load that goes on: the heap and what is open stay as they are', { timeout: 5_000_000 }, async t => {
  t.equal(slopeOf([1, 3, 5]), 2)
  const postgres = await usePostgres(t)
  const collector = await startCollector()
  t.teardown(() => collector.close())
  const tracker = await startTracker(t, postgres.url, {
    ...exportTo(collector.port),
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(SHARE),
    NODE_OPTIONS: `--import=${pathToFileURL(join(root, 'test/fixtures/heap-report.js')).href}`,
    PERFORMANCE_RETENTION_PERIOD: String(RETENTION_SECONDS)
  })
  await seed(postgres.url)
  const spansEach = await spansOfRequest(tracker)
  const rate = Math.ceil(SPANS / spansEach)
  const load = (seconds: number): Promise<Window> => drive(tracker.url, tracker.pid, rate, seconds, ISSUES)

  const warmUp = await load(RETENTION_SECONDS)
  // The first collections throw away more than garbage, such as code that runs once.
  for (let round = 0; round < 3; round += 1) await retained(tracker)
  const minutes: Minute[] = []
  let before = (await askSelf(tracker.url)).spansProcessed
  for (let index = 0; index < WINDOWS; index += 1) {
    const window = await load(WINDOW_SECONDS)
    const { overhead, storeBytes, spansProcessed } = await askSelf(tracker.url)
    minutes.push({ ...window, ...(await retained(tracker)), overhead, storeBytes, spans: spansProcessed - before })
    before = spansProcessed
    // At once, and not after an hour that would prove nothing.
    if (full && index === 0) t.ok((minutes[0]?.spans ?? 0) > 0.9 * SPANS * WINDOW_SECONDS, 'so many spans a second')
  }
  const { spansDropped, faults } = await askSelf(tracker.url)
  const anHour = 3600 / WINDOW_SECONDS
  const slope = slopeOf(minutes.map(({ bytes }) => bytes)) * anHour
  const storeSlope = slopeOf(minutes.map(({ storeBytes }) => storeBytes)) * anHour
  t.comment(JSON.stringify({ rate, slope, storeSlope, minutes }))

  t.equal(
    [warmUp, ...minutes].reduce((sum, { failed }) => sum + failed, 0),
    0,
    'no request fails'
  )
  t.ok(
    minutes.every(({ spans, requests }) => spans > 0.95 * requests * spansEach),
    'every request has its spans'
  )
  t.strictSame({ spansDropped, faults }, { spansDropped: 0, faults: 0 })
  t.ok(collector.taken > 0)
  const [first = NaN, ...later] = minutes.map(({ handles }) => handles)
  // For a few seconds the pool may still have to open connections, ten at most.
  t.ok(Math.max(...later) <= first + (full ? 1 : 10), `open: ${first}, then ${later.join(', ')}`)
  if (!full) return
  t.ok(slope <= MEBIBYTE, `the heap grows by ${slope} bytes an hour, the store in it by ${storeSlope}`)
  t.ok(
    Math.max(...minutes.map(({ overhead }) => overhead)) <= MOST_OVERHEAD,
    'the monitor takes a fifth of a core at most'
  )
  if (t.passing())
    writeSoak({ rate, seconds: WINDOW_SECONDS, retention: RETENTION_SECONDS, slope, storeSlope }, minutes)
})

/** How many spans the monitor counts for one request, about: connecting to the database makes some too. */
async function spansOfRequest({ url }: Tracker): Promise<number> {
  const ask = (): Promise<unknown> => post(url, { query: ISSUES.query })
  for (let request = 0; request < SAMPLE; request += 1) await ask()
  const before = await askSelf(url)
  for (let request = 0; request < SAMPLE; request += 1) await ask()
  const after = await askSelf(url)
  return (after.spansProcessed - before.spansProcessed) / SAMPLE
}

/** What is left in the process after garbage collection, once no request is open. */
async function retained({ process }: Tracker): Promise<Pick<Minute, 'bytes' | 'handles'>> {
  await delay(500)
  const reports = (): string[] => process.output().match(/^\{"bytes":.*\}$/gm) ?? []
  const known = reports().length
  const deadline = Date.now() + PATIENCE_MILLISECONDS
  process.child.kill('SIGUSR2')
  while (reports().length === known) {
    if (Date.now() > deadline || process.child.exitCode !== null || process.child.signalCode !== null) {
      throw new Error(`the Tracker does not tell what its heap holds: ${process.output().slice(-500)}`)
    }
    await delay(20)
  }
  return JSON.parse(reports().at(-1) ?? '') as Pick<Minute, 'bytes' | 'handles'>
}
