import { test } from 'tap'
import { resolveConfig, type ConfigPatch } from '../src/config.js'
import { PerformanceLog } from '../src/logging/performance-log.js'
import type { Measurement } from '../src/spans/measurement.js'
import { manualClock } from './clock.js'
import { spanSource } from './spans/spans.js'

interface Line {
  readonly level: string
  readonly fields: Record<string, unknown>
  readonly message: string
}

function logWith(patch: ConfigPatch) {
  const clock = manualClock()
  const config = resolveConfig({}, patch)
  const log = new PerformanceLog(clock, () => config)
  const lines: Line[] = []
  const write = (level: string) => (fields: object, message: string) =>
    lines.push({ level, fields: fields as Record<string, unknown>, message })
  log.logger = { info: write('info'), warn: write('warn'), error: write('error') }
  return { clock, log, lines }
}

const statement = {
  name: 'SELECT issues',
  operation: 'SELECT',
  table: 'issues',
  text: 'SELECT * FROM issues WHERE id = ?'
}

function call(seconds: number): Measurement {
  return { duration: seconds * 1e9, failed: false, argsCount: null, traceId: 'a'.repeat(32) }
}

test('Resolver Tracking, log: warn from the threshold up, info below it when everything is logged', t => {
  const { log, lines } = logWith({ logAllMetrics: true })
  log.resolver('Issue.comments', call(1.2034))
  log.resolver('Issue.comments', call(1))
  log.resolver('Issue.comments', call(0.9999))
  t.strictSame(
    lines.map(({ level, message }) => [level, message]),
    [
      ['warn', 'PERFORMANCE: Resolver Issue.comments took 1.2034s'],
      ['warn', 'PERFORMANCE: Resolver Issue.comments took 1.0000s'],
      ['info', 'PERFORMANCE: Resolver Issue.comments took 0.9999s']
    ]
  )
  t.strictSame(lines[0]?.fields, {
    resolver: 'Issue.comments',
    executionTime: 1.2034,
    failed: false,
    traceId: 'a'.repeat(32)
  })
  t.end()
})

test('Database Query Tracking, log: operation, table and redacted text beside the message', t => {
  const { log, lines } = logWith({ logAllMetrics: false })
  log.query(statement, call(0.5))
  log.query(statement, call(0.4999))
  t.equal(lines.length, 1, 'below the threshold only when everything is logged')
  t.equal(lines[0]?.message, 'PERFORMANCE: Query SELECT issues took 0.5000s')
  t.match(lines[0]?.fields, { operation: 'SELECT', table: 'issues', statement: statement.text, executionTime: 0.5 })
  t.end()
})

test('operations too: slow ones at warn, every one when everything is logged', t => {
  const { log, lines } = logWith({ logAllMetrics: false })
  log.operation('query', 'IssueList', call(1))
  log.operation('query', 'IssueList', call(0.9999))
  t.equal(lines.length, 1, 'below the threshold only when everything is logged')
  t.equal(lines[0]?.level, 'warn')
  t.equal(lines[0]?.message, 'PERFORMANCE: Operation IssueList took 1.0000s')
  t.strictSame(lines[0]?.fields, {
    operation: 'IssueList',
    type: 'query',
    executionTime: 1,
    failed: false,
    traceId: 'a'.repeat(32)
  })
  const all = logWith({ logAllMetrics: true })
  all.log.operation('mutation', 'CloseIssue', call(0.01))
  t.match(all.lines, [{ level: 'info', message: 'PERFORMANCE: Operation CloseIssue took 0.0100s' }])
  t.end()
})

test('Cache Tracking, log: hits and misses when everything is logged', t => {
  const { log, lines } = logWith({ logAllMetrics: true })
  log.cache('hit', 'labels', call(0.0012))
  log.cache('miss', 'labels', call(0.25))
  t.strictSame(
    lines.map(({ message }) => message),
    ['CACHE HIT: took 0.0012s', 'CACHE MISS: took 0.2500s']
  )
  const quiet = logWith({ logAllMetrics: false })
  quiet.log.cache('hit', 'labels', call(5))
  t.equal(quiet.lines.length, 0)
  t.end()
})

test('a flood is cut at ten lines a series and minute, and what was left out is counted', t => {
  const { clock, log, lines } = logWith({ logAllMetrics: false })
  for (let index = 0; index < 5000; index += 1) log.resolver('Issue.comments', call(2))
  for (let index = 0; index < 12; index += 1) log.query(statement, call(2))
  t.equal(lines.length, 20)
  clock.advance(61)
  log.tick()
  t.match(lines.at(-1), {
    level: 'info',
    message: 'PERFORMANCE: 4992 lines of the last minute were left out',
    fields: {
      total: 4992,
      leftOut: [
        { series: 'Resolver Issue.comments', lines: 4990 },
        { series: 'Query SELECT issues', lines: 2 }
      ]
    }
  })
  log.resolver('Issue.comments', call(2))
  t.equal(lines.length, 22, 'the next minute has lines of its own')
  t.end()
})

test('a flood of info lines does not hide the slow ones', t => {
  const { log, lines } = logWith({ logAllMetrics: true })
  for (let index = 0; index < 100; index += 1) log.resolver('Issue.comments', call(0.1))
  log.resolver('Issue.comments', call(3))
  t.equal(lines.at(-1)?.level, 'warn')
  t.end()
})

test('a flood of distinct names is bounded too', t => {
  const { log, lines } = logWith({ logAllMetrics: true })
  for (let index = 0; index < 100_000; index += 1) {
    log.query({ ...statement, name: `SELECT t${index % 20_000}` }, call(0.1))
  }
  t.equal(lines.length, 1000)
  for (let index = 0; index < 500; index += 1) log.resolver(`Issue.field${index}`, call(3))
  t.equal(lines.filter(({ level }) => level === 'warn').length, 500, 'and hides no slow one')
  lines.length = 0
  log.flush()
  const { leftOut, total } = lines[0]?.fields as { leftOut: { series: string; lines: number }[]; total: number }
  t.equal(total, 99_000)
  t.strictSame(leftOut[0], { series: '(other)', lines: 95_000 }, 'a thousand names are known apart')
  t.end()
})

test('what was slow is kept, and nothing is a fault of measuring or missing, where the logger throws', t => {
  const patch = { slowOperationThreshold: 0, slowQueryThreshold: 0, slowResolverThreshold: 0 }
  const { monitor, operation, query, resolver } = spanSource(patch)
  const fail = (): never => {
    throw new Error('the log is full')
  }
  monitor.logger = { info: fail, warn: fail, error: fail }
  operation('Slow').end()
  query('SELECT 1')
  resolver('Query', 'slow')
  const facts = { type: 'query', seriesName: 'Executed', source: '{ slow }', writer: { write: () => undefined } }
  const trace = { id: 'a'.repeat(32), isExported: false, hasSlowPart: false }
  monitor.executed({ facts, statements: 0, trace, duration: 1e9 } as never, monitor.now(), false)
  t.strictSame(
    monitor
      .snapshot({ slow: 10 })
      .slow.map(({ name }) => name)
      .sort(),
    ['Executed', 'Query.slow', 'SELECT', 'Slow']
  )
  t.equal(trace.hasSlowPart, true)
  t.equal(monitor.faults.faults, 0)
  t.equal(monitor.meter.dropped, 0)
  monitor.close()
  t.end()
})

test('a line that cannot be written costs no other', t => {
  const { clock, log, lines } = logWith({ logAllMetrics: false })
  const { logger } = log
  log.logger = {
    info: () => {
      throw new Error('the log is full')
    },
    warn: () => {
      throw new Error('the log is full')
    },
    error: () => undefined
  }
  for (let index = 0; index < 12; index += 1) {
    t.doesNotThrow(() => {
      log.resolver('Issue.comments', call(2))
    })
  }
  clock.advance(61)
  t.doesNotThrow(() => {
    log.tick()
  })
  log.logger = logger
  log.resolver('Issue.comments', call(2))
  t.equal(lines.length, 1)
  t.end()
})
