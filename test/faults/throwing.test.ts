import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test, type Test } from 'tap'
import { root } from '../node.js'
import { attributesOf, exportTo, startReceiver, type ReceivedSpan } from '../otlp.js'
import { usePostgres } from '../postgres.js'
import { post } from '../tracker/tracker.js'
import { writeThrowing, type ThrowingRow } from './report.js'
import { settledAccount, startTracker } from './tracker.js'

const full = process.env.RELIABILITY === '1'
/** Measuring is off for a minute after a hundred faults: the long run sees it tried again, twice. */
const SECONDS = full ? 130 : 4
const CONTROL_SECONDS = full ? 10 : 2
const WARM_UP_SECONDS = 2
const THROWING = pathToFileURL(join(root, 'test/fixtures/throwing.js')).href

/** Two queries at the same time, neither of them cached. */
const QUERY = `query Names {
  projects(first: 2) { edges { cursor node { id name } } }
  users(first: 2) { edges { cursor node { id name } } }
}`
/** What differs from one connection to the next. */
const OF_A_CONNECTION = /port$|address$|^peer/

interface Load {
  readonly requests: number
  readonly failed: number
}

interface Run {
  readonly load: Load
  /** How often each shape of a trace came. */
  readonly traces: ReadonlyMap<string, number>
  readonly output: string
}

interface LastLine {
  readonly thrown: number
  readonly counted: number
  readonly tripped: boolean
}

const rows: ThrowingRow[] = []

for (const [engine, jit] of [
  ['graphql-js', '0'],
  ['graphql-jit', '1']
] as const) {
  test(`a monitor that throws all the time, ${engine}`, { timeout: 3_600_000 }, async t => {
    const postgres = await usePostgres(t)
    const control = await runTracker(t, postgres.url, { TRACKER_JIT: jit }, CONTROL_SECONDS)
    const environment = { TRACKER_JIT: jit, NODE_OPTIONS: `--import ${THROWING}` }
    const { load, traces, output } = await runTracker(t, postgres.url, environment, SECONDS)
    const { thrown, counted, tripped } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as LastLine
    const said = faultLines(output)
    const row: ThrowingRow = { engine, ...load, thrown, counted, lines: said.length }
    t.comment(JSON.stringify({ ...row, said: said.map(({ msg }) => msg) }))

    t.equal(control.load.failed + load.failed, 0, 'no request fails')
    t.ok(thrown > 100, `it threw ${thrown} times`)
    t.equal(counted, thrown, 'each fault is counted once')
    t.ok(tripped, 'measuring is off')
    t.ok(said.length > 0, 'it is said')
    t.equal(mostInAMinute(said.map(({ time }) => time)), 1, 'once a minute')
    t.equal(control.traces.size, 1, 'each request makes the same spans')
    t.match([...control.traces.keys()][0], /graphql\.resolve Query\.projects.*SELECT/s)
    t.strictSame([...traces.keys()], [...control.traces.keys()], 'the same leave as without faults')
    t.equal([...traces.values()][0], load.requests, 'those of every request')
    if (!full) return
    t.ok(
      said.some(({ msg }) => msg.includes('measuring again')),
      'measuring is tried again'
    )
    rows.push(row)
    writeThrowing(SECONDS, rows)
  })
}

async function runTracker(
  t: Test,
  database: string,
  environment: Record<string, string>,
  seconds: number
): Promise<Run> {
  const received = await startReceiver(t)
  const tracker = await startTracker(t, database, {
    ...exportTo(received),
    OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    ...environment
  })
  // By then connections are made, documents compiled and, where everything throws, measuring is off.
  await drive(tracker.url, WARM_UP_SECONDS)
  await settledAccount(tracker.url)
  received.spans.length = 0
  const load = await drive(tracker.url, seconds)
  await settledAccount(tracker.url)
  tracker.process.child.kill('SIGTERM')
  const { code, stdout } = await tracker.process.ended()
  t.equal(code, 0)
  return { load, traces: shapesOf(received.spans), output: stdout }
}

/** One request after the other, so that none needs a connection more than the one before. */
async function drive(url: string, seconds: number): Promise<Load> {
  const until = performance.now() + seconds * 1_000
  let requests = 0
  let failed = 0
  while (performance.now() < until) {
    const { status, data } = await post(url, { query: QUERY }).catch(() => ({ status: 0, data: null }))
    requests += 1
    if (status !== 200 || !data || !('projects' in data)) failed += 1
  }
  return { requests, failed }
}

function shapesOf(spans: readonly ReceivedSpan[]): Map<string, number> {
  const traces = new Map<string, ReceivedSpan[]>()
  for (const span of spans) {
    const trace = traces.get(span.traceId)
    if (trace === undefined) traces.set(span.traceId, [span])
    else trace.push(span)
  }
  const counts = new Map<string, number>()
  for (const trace of traces.values()) {
    const names = new Map(trace.map(({ spanId, name }) => [spanId, name]))
    const shape = trace
      .map(span => shapeOf(span, names))
      .sort()
      .join('\n')
    counts.set(shape, (counts.get(shape) ?? 0) + 1)
  }
  return counts
}

function shapeOf(span: ReceivedSpan, names: ReadonlyMap<string, string>): string {
  const { name, kind, status, parentSpanId = '' } = span
  const attributes = Object.entries(attributesOf(span)).filter(([key]) => !OF_A_CONNECTION.test(key))
  return JSON.stringify([name, kind, status, names.get(parentSpanId), attributes.sort()])
}

interface Line {
  readonly time: number
  readonly msg: string
}

function faultLines(output: string): Line[] {
  return output
    .split('\n')
    .filter(line => line.includes('"msg":"PERFORMANCE: '))
    .map(line => JSON.parse(line) as Line)
}

function mostInAMinute(times: readonly number[]): number {
  return Math.max(...times.map(time => times.filter(other => other >= time && other < time + 59_900).length))
}
