import { diag, DiagLogLevel } from '@opentelemetry/api'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { test } from 'tap'
import { PrometheusReader } from '../../src/metrics/prometheus-reader.js'
import { metricExportFromEnvironment } from '../../src/metrics/readers.js'
import { storeWith } from '../store/support.js'

/** The readers that variables make, `P` for one that pushes and `S` for one that is scraped, and what is warned of. */
function readersOf(environment: Record<string, string>): { readers: string; warnings: string[] } {
  const warnings: string[] = []
  const warn = (message: string): void => {
    warnings.push(message)
  }
  const ignore = (): void => undefined
  diag.setLogger({ error: warn, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN)
  const before = { ...process.env }
  Object.assign(process.env, environment)
  try {
    const { readers } = metricExportFromEnvironment(storeWith().store)
    const kinds = readers.map(reader =>
      reader instanceof PeriodicExportingMetricReader ? 'P' : reader instanceof PrometheusReader ? 'S' : '?'
    )
    return { readers: kinds.join(''), warnings }
  } finally {
    for (const name of Object.keys(environment)) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = before[name]
    }
    diag.disable()
  }
}

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }

test('readers are what the variables name, and none where they name nothing', t => {
  const cases: [environment: Record<string, string>, readers: string][] = [
    [{}, ''],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9' }, ''],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:9' }, 'P'],
    [endpoint, 'P'],
    [{ ...endpoint, OTEL_METRICS_EXPORTER: 'none' }, ''],
    [{ ...endpoint, OTEL_METRICS_EXPORTER: 'none,otlp' }, ''],
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, 'P'],
    [{ OTEL_METRICS_EXPORTER: 'otlp, console ,otlp' }, 'PP'],
    [{ OTEL_METRICS_EXPORTER: 'prometheus' }, 'S'],
    [{ OTEL_METRICS_EXPORTER: 'console,prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: '9465' }, 'PS'],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: '9465' }, 'S'],
    [{ ...endpoint, OTEL_EXPORTER_PROMETHEUS_PORT: '9465' }, 'PS'],
    ...['grpc', 'http/json', 'http/protobuf'].map((protocol): [Record<string, string>, string] => [
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: protocol },
      'P'
    ])
  ]
  for (const [environment, readers] of cases) {
    t.strictSame(readersOf(environment), { readers, warnings: [] }, JSON.stringify(environment))
  }
  t.end()
})

test('a bad value is one line that names it and what is right, and the default is taken', t => {
  const cases: [environment: Record<string, string>, warning: RegExp, readers: string][] = [
    [{ OTEL_METRICS_EXPORTER: 'otlp,zipkin' }, /^OTEL_METRICS_EXPORTER names "zipkin": expected otlp, console/, 'P'],
    [
      { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '0' },
      /^OTEL_METRIC_EXPORT_INTERVAL is 0: expected .* from 1 to/,
      'P'
    ],
    [{ ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '1e12' }, /^OTEL_METRIC_EXPORT_INTERVAL is 1000000000000: /, 'P'],
    [
      { OTEL_METRICS_EXPORTER: 'otlp,console', OTEL_METRIC_EXPORT_INTERVAL: 'soon' },
      /'soon' for OTEL_METRIC_EXPORT_INTERVAL/,
      'PP'
    ],
    [{ ...endpoint, OTEL_METRIC_EXPORT_TIMEOUT: '-1' }, /^OTEL_METRIC_EXPORT_TIMEOUT is -1: /, 'P'],
    [
      { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '1000', OTEL_METRIC_EXPORT_TIMEOUT: '2000' },
      /^OTEL_METRIC_EXPORT_TIMEOUT is 2000: expected at most the interval; taking 1000$/,
      'P'
    ],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'udp' }, /^OTEL_EXPORTER_OTLP_PROTOCOL is "udp": expected grpc/, 'P'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'udp' }, /^OTEL_EXPORTER_OTLP_METRICS_PROTOCOL is "udp"/, 'P'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'both' }, /TEMPORALITY_PREFERENCE.*'both'/, 'P'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' }, /nowhere/, 'P'],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: '70000' }, /^OTEL_EXPORTER_PROMETHEUS_PORT is 70000: expected .* 65535/, 'S'],
    [{ OTEL_EXPORTER_PROMETHEUS_PORT: 'http' }, /'http' for OTEL_EXPORTER_PROMETHEUS_PORT/, 'S']
  ]
  for (const [environment, warning, readers] of cases) {
    const seen = readersOf(environment)
    t.equal(seen.readers, readers)
    t.equal(seen.warnings.length, 1, `${JSON.stringify(environment)}: ${seen.warnings.join(' | ')}`)
    t.match(seen.warnings[0], warning)
    t.notMatch(seen.warnings[0], '\n')
  }
  t.end()
})
