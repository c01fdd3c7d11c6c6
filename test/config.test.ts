import { test } from 'tap'
import { options, patchConfig, resolveConfig, type ConfigPatch } from '../src/config.js'
import { PerformanceError } from '../src/errors.js'

const production = { NODE_ENV: 'production' }

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof PerformanceError && error.code === 'MPERF_CONFIG_INVALID') return error.message
    throw error
  }
  return 'no error'
}

test('Configuration System: the defaults of the document, closed ones in production', t => {
  const open = {
    enabled: true,
    includeInResponse: true,
    logAllMetrics: true,
    retentionPeriod: 3600,
    slowQueryThreshold: 0.5,
    slowResolverThreshold: 1,
    slowOperationThreshold: 1,
    maxResolverSpans: 1000,
    slowTracesPerMinute: 60,
    traceUrl: '',
    overheadBudget: 0
  }
  t.strictSame(resolveConfig({}), open)
  t.strictSame(resolveConfig(production), { ...open, includeInResponse: false, logAllMetrics: false })
  t.end()
})

test('variables are read in every form that is documented', t => {
  const seconds: [string, number][] = [
    ['3600', 3600],
    ['90s', 90],
    ['15m', 900],
    ['1h', 3600],
    ['1.5h', 5400],
    ['2d', 172_800],
    [' 60 ', 60],
    ['0', 0]
  ]
  for (const [text, expected] of seconds) {
    t.equal(resolveConfig({ PERFORMANCE_RETENTION_PERIOD: text }).retentionPeriod, expected, text)
  }
  for (const text of ['false', 'FALSE', '0', 'no', 'Off']) {
    t.equal(resolveConfig({ PERFORMANCE_ENABLED: text }).enabled, false, text)
  }
  for (const text of ['true', '1', 'YES', 'on']) {
    t.equal(resolveConfig({ ...production, PERFORMANCE_INCLUDE_IN_RESPONSE: text }).includeInResponse, true, text)
  }
  t.equal(resolveConfig({ PERFORMANCE_MAX_RESOLVER_SPANS: '50' }).maxResolverSpans, 50)
  t.equal(resolveConfig({ PERFORMANCE_SLOW_TRACES_PER_MINUTE: '5' }).slowTracesPerMinute, 5)
  t.equal(resolveConfig({ PERFORMANCE_SLOW_OPERATION_THRESHOLD: '250m' }).slowOperationThreshold, 15_000)
  const traceUrl = 'https://jaeger.example/trace/{traceId}'
  t.equal(resolveConfig({ PERFORMANCE_TRACE_URL: traceUrl }).traceUrl, traceUrl)
  for (const [text, budget] of [
    ['5%', 0.05],
    ['0.05', 0.05],
    ['2.5%', 0.025],
    ['100%', 1],
    ['1', 1],
    ['0', 0],
    ['0%', 0],
    ['', 0]
  ] as const) {
    t.equal(resolveConfig({ PERFORMANCE_OVERHEAD_BUDGET: text }).overheadBudget, budget, text)
  }
  t.equal(resolveConfig({ PERFORMANCE_SLOW_QUERY_THRESHOLD: '0.25' }).slowQueryThreshold, 0.25)
  t.equal(resolveConfig({ PERFORMANCE_SLOW_QUERY_THRESHOLD: '' }).slowQueryThreshold, 0.5, 'empty means unset')
  t.end()
})

test('a bad variable is named with its value and what would be right', t => {
  const bad: [string, string][] = [
    ['PERFORMANCE_ENABLED', 'maybe'],
    ['PERFORMANCE_INCLUDE_IN_RESPONSE', '2'],
    ['PERFORMANCE_LOG_ALL_METRICS', 'tru'],
    ['PERFORMANCE_MAX_RESOLVER_SPANS', '1.5'],
    ['PERFORMANCE_MAX_RESOLVER_SPANS', '-1'],
    ['PERFORMANCE_MAX_RESOLVER_SPANS', '100001'],
    ['PERFORMANCE_RETENTION_PERIOD', '1 hour'],
    ['PERFORMANCE_RETENTION_PERIOD', '-5'],
    ['PERFORMANCE_RETENTION_PERIOD', '0.5'],
    ['PERFORMANCE_RETENTION_PERIOD', '31d'],
    ['PERFORMANCE_RETENTION_PERIOD', 'NaN'],
    ['PERFORMANCE_SLOW_QUERY_THRESHOLD', 'fast'],
    ['PERFORMANCE_SLOW_QUERY_THRESHOLD', 'Infinity'],
    ['PERFORMANCE_SLOW_RESOLVER_THRESHOLD', '1e3'],
    ['PERFORMANCE_SLOW_RESOLVER_THRESHOLD', '100000'],
    ['PERFORMANCE_OVERHEAD_BUDGET', '5'],
    ['PERFORMANCE_OVERHEAD_BUDGET', '101%'],
    ['PERFORMANCE_OVERHEAD_BUDGET', '-0.1'],
    ['PERFORMANCE_OVERHEAD_BUDGET', '5 %'],
    ['PERFORMANCE_OVERHEAD_BUDGET', 'none']
  ]
  for (const [variable, value] of bad) {
    const message = messageOf(() => resolveConfig({ [variable]: value }))
    t.match(message, new RegExp(`^${variable} is "${value.replaceAll('.', '\\.')}": expected `))
    t.notMatch(message, '\n', 'one line')
  }
  const long = messageOf(() => resolveConfig({ PERFORMANCE_ENABLED: 'x'.repeat(10_000) }))
  t.ok(long.length < 200, 'a long value is cut')
  t.end()
})

test('all bad variables are named at once', t => {
  const message = messageOf(() => resolveConfig({ PERFORMANCE_ENABLED: 'a', PERFORMANCE_RETENTION_PERIOD: 'b' }))
  t.match(message, /PERFORMANCE_ENABLED is "a".*; PERFORMANCE_RETENTION_PERIOD is "b"/)
  t.end()
})

test('options win over variables', t => {
  const config = resolveConfig({ PERFORMANCE_SLOW_QUERY_THRESHOLD: '2' }, { slowQueryThreshold: 3 })
  t.equal(config.slowQueryThreshold, 3)
  t.end()
})

test('Configuration System, configure(): unknown keys, null and undefined are ignored', t => {
  const config = resolveConfig({})
  const patch = { slowQueryThreshold: null, enabled: undefined, sampleRate: 0.1, __proto__: { enabled: false } }
  t.strictSame(patchConfig(config, patch as ConfigPatch), config)
  t.end()
})

test('configure(): a value of the wrong type or range is refused and changes nothing', t => {
  const config = resolveConfig({})
  const before = structuredClone(config)
  const wrong: Record<string, unknown>[] = [
    { enabled: 'yes' },
    { enabled: 0 },
    { retentionPeriod: '1h' },
    { retentionPeriod: -1 },
    { retentionPeriod: NaN },
    { slowQueryThreshold: Infinity },
    { slowResolverThreshold: {} },
    { maxResolverSpans: 0.5 },
    { logAllMetrics: [] },
    { overheadBudget: 5 },
    { overheadBudget: -0.01 },
    { overheadBudget: NaN },
    { overheadBudget: '5%' },
    { overheadBudget: true }
  ]
  for (const patch of wrong) {
    const [key = ''] = Object.keys(patch)
    t.match(
      messageOf(() => patchConfig(config, { slowQueryThreshold: 9, ...patch })),
      new RegExp(`^${key} is `)
    )
  }
  t.strictSame(config, before)
  t.end()
})

test('the budget: null leaves it as it is, 0 takes it away, and the message says so', t => {
  const config = resolveConfig({ PERFORMANCE_OVERHEAD_BUDGET: '5%' })
  t.equal(patchConfig(config, { overheadBudget: null }).overheadBudget, 0.05)
  t.equal(patchConfig(config, { overheadBudget: 0 }).overheadBudget, 0)
  t.equal(
    messageOf(() => patchConfig(config, { overheadBudget: 5 })),
    'overheadBudget is 5: expected a share of one core up to 1, such as 0.05 (in the environment also 5%), or 0 for no budget'
  )
  t.end()
})

test('every option has a variable of its own', t => {
  const variables = Object.values(options).map(({ variable }) => variable)
  t.equal(new Set(variables).size, variables.length)
  t.end()
})
