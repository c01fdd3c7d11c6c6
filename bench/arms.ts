import { pathOf } from './child.js'

export type Engine = 'js' | 'jit'

export interface Arm {
  /** As the command line and the targets name it. */
  readonly name: string
  /** As the tables name it. */
  readonly title: string
  /** The arm that its ratio is to. */
  readonly base: string
  /** The arm that it runs once more. Ratios to that one are to the mean of both; its own is to that one alone. */
  readonly again?: string
  /** The service; without, the one of Mercurius. */
  readonly service?: string
  /** Preloaded: a module or a package. */
  readonly preload?: string
  /** What the service of Mercurius loads, an `ArmModule`. */
  readonly module?: string
  readonly environment?: Readonly<Record<string, string>>
  /** The environment that makes it export to `sink`, a URL. */
  readonly exporting?: (sink: string) => Readonly<Record<string, string>>
  /** Whether it needs what rivals/package.json names. */
  readonly isRival?: boolean
  /** Servers that know graphql-js only. */
  readonly isServer?: boolean
  /** Where it gets more processes than the others do. */
  readonly startedMore?: 'everywhere' | 'in process'
}

const bare = { base: 'bare' }
const ours = { ...bare, preload: 'mercurius-performance/register', module: pathOf('./arms/ours.js') }
const opentelemetry = { ...bare, preload: pathOf('./arms/opentelemetry.js') }
const datadog = {
  ...bare,
  isRival: true,
  preload: pathOf('../../rivals/node_modules/dd-trace/initialize.mjs'),
  exporting: (sink: string) => ({ DD_TRACE_AGENT_URL: sink })
}
const apollo = { base: 'apollo', isRival: true, isServer: true, service: pathOf('../../rivals/apollo.js') }
const yoga = { base: 'yoga', isRival: true, isServer: true, service: pathOf('../../rivals/yoga.js') }

const datadogEnvironment = {
  DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
  DD_REMOTE_CONFIGURATION_ENABLED: 'false',
  DD_CRASHTRACKING_ENABLED: 'false',
  DD_TRACE_STARTUP_LOGS: 'false'
}

const sampled = (sampler: string, ratio: string) => (sink: string) => ({
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sink}/v1/traces`,
  OTEL_TRACES_SAMPLER: sampler,
  OTEL_TRACES_SAMPLER_ARG: ratio
})

/** All that is compared; ours and the OpenTelemetry arms measure the checkout's own copies of every package. */
export const arms: readonly Arm[] = [
  { ...bare, name: 'bare', title: 'bare', startedMore: 'everywhere' },
  { ...bare, name: 'bare-again', title: 'bare, once more', again: 'bare', startedMore: 'everywhere' },
  { ...bare, name: 'storage', title: 'AsyncLocalStorage alone', module: pathOf('./arms/async-local-storage.js') },
  {
    ...bare,
    name: 'floor',
    title: 'two clock readings a call, a context an async one',
    module: pathOf('./arms/floor.js')
  },
  { ...ours, name: 'ours', title: '**ours**, nothing exported', startedMore: 'everywhere' },
  {
    ...ours,
    name: 'ours-no-sql',
    title: '**ours**, nothing exported, no SQL client loaded',
    environment: { BENCH_NO_SQL: '1' }
  },
  { ...ours, name: 'ours-1', title: '**ours**, exported 1%', exporting: sampled('parentbased_traceidratio', '0.01') },
  { ...ours, name: 'ours-100', title: '**ours**, exported 100%', exporting: sampled('parentbased_always_on', '1') },
  {
    ...ours,
    name: 'ours-off',
    title: '**ours**, `PERFORMANCE_ENABLED=false`',
    startedMore: 'in process',
    environment: { PERFORMANCE_ENABLED: 'false' }
  },
  {
    ...opentelemetry,
    name: 'otel-trivial',
    title: 'OpenTelemetry, `ignoreTrivialResolveSpans`',
    environment: { BENCH_IGNORE_TRIVIAL: '1' }
  },
  { ...opentelemetry, name: 'otel', title: 'OpenTelemetry, defaults' },
  {
    ...bare,
    name: 'explain',
    title: 'mercurius-explain',
    isRival: true,
    module: pathOf('../../rivals/explain.js')
  },
  { ...datadog, name: 'datadog', title: 'dd-trace 5, lists collapsed', environment: datadogEnvironment },
  {
    ...datadog,
    name: 'datadog-lists',
    title: 'dd-trace 5, every item of a list',
    environment: { ...datadogEnvironment, DD_TRACE_GRAPHQL_COLLAPSE: 'false' }
  },
  { ...apollo, name: 'apollo', title: 'Apollo Server' },
  { ...apollo, name: 'apollo-trace', title: 'Apollo Server, inline trace', environment: { BENCH_TRACED: '1' } },
  { ...yoga, name: 'yoga', title: 'Yoga' },
  { ...yoga, name: 'yoga-prometheus', title: 'Yoga, Prometheus by resolver', environment: { BENCH_TRACED: '1' } }
]
