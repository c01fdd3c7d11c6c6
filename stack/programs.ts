import { join } from 'node:path'
import { inRoom, inRoot } from './paths.js'

/** The addresses that the configurations read from the environment: host:port, and one whole URL. */
export type Addresses = Readonly<Record<(typeof addressNames)[number] | 'PROMETHEUS_URL', string>>

export const addressNames = [
  'COLLECTOR_GRPC',
  'COLLECTOR_HTTP',
  'COLLECTOR_HEALTH',
  'JAEGER_OTLP',
  'JAEGER_QUERY',
  'JAEGER_QUERY_GRPC',
  'JAEGER_HEALTH',
  'PROMETHEUS'
] as const

/** One of the three: where it comes from and how it runs. */
export interface Program {
  readonly name: string
  /** What it may be called on PATH. */
  readonly commands: readonly string[]
  /** What a program of that name must do to be ours, each with exit status 0 and with this in its output. */
  readonly probes: readonly Probe[]
  /** What somebody has to put on PATH who does not want it built. */
  readonly wanted: string
  /** The files that say what is built; a change makes another build. */
  readonly manifests: readonly string[]
  /** Finds the version in the first manifest. */
  readonly version: RegExp
  /** How Go builds it: all that it writes is below `target`, an empty folder. */
  build(version: string, target: string): GoCommand
  /** @param data a folder of its own */
  run(addresses: Addresses, data: string): { readonly arguments: readonly string[]; readonly health: string }
}

export interface Probe {
  readonly arguments: readonly string[]
  readonly output: RegExp
}

export interface GoCommand {
  readonly arguments: readonly string[]
  /** Where Go runs. */
  readonly folder: string
  /** The program, once it is there. */
  readonly result: string
}

const COLLECTOR_CONFIGURATION = `--config=${inRoot('otel-collector.yaml')}`
const JAEGER_CONFIGURATION = `--config=${inRoom('jaeger.yaml')}`

const collector: Program = {
  name: 'Collector',
  commands: ['otelcol-contrib', 'otelcol'],
  probes: [
    { arguments: ['--version'], output: /^otelcol\S* version v?(0\.(159|1[6-9]\d|[2-9]\d\d)|[1-9]\d*)\./m },
    // It has to have what the configuration names.
    { arguments: ['validate', COLLECTOR_CONFIGURATION], output: /^/ }
  ],
  wanted: 'otelcol-contrib 0.159 or newer',
  manifests: [inRoom('collector.yaml')],
  version: /^ {2}version: (\S+)$/m,
  build: (version, target) => ({
    arguments: [
      'run',
      `go.opentelemetry.io/collector/cmd/builder@v${version}`,
      `--config=${inRoom('collector.yaml')}`,
      '--ldflags=-s -w'
    ],
    folder: target,
    result: join(target, 'build', 'otelcol')
  }),
  run: ({ COLLECTOR_HEALTH }) => ({ arguments: [COLLECTOR_CONFIGURATION], health: `http://${COLLECTOR_HEALTH}/` })
}

const jaeger: Program = {
  name: 'Jaeger',
  commands: ['jaeger'],
  probes: [
    { arguments: ['version'], output: /"gitVersion":\s*"v(2\.(1[3-9]|[2-9]\d)|[3-9])\./ },
    { arguments: ['validate', JAEGER_CONFIGURATION], output: /^/ }
  ],
  wanted: 'jaeger 2.13 or newer',
  manifests: [inRoom('jaeger', 'go.mod'), inRoom('jaeger', 'go.sum')],
  version: /^\tgithub\.com\/jaegertracing\/jaeger v(\S+)/m,
  build: (_version, target) => goBuild(inRoom('jaeger'), target, 'github.com/jaegertracing/jaeger/cmd/jaeger'),
  run: ({ JAEGER_HEALTH }) => ({ arguments: [JAEGER_CONFIGURATION], health: `http://${JAEGER_HEALTH}/status` })
}

const prometheus: Program = {
  name: 'Prometheus',
  commands: ['prometheus'],
  // Before 3.9 exponential histograms needed a flag, and before 3.0 there was no intake for OTLP.
  probes: [{ arguments: ['--version'], output: /^prometheus, version (3\.(9|\d\d)|[4-9]|\d\d)/m }],
  wanted: 'prometheus 3.9 or newer',
  manifests: [inRoom('prometheus', 'go.mod'), inRoom('prometheus', 'go.sum')],
  version: /^\tgithub\.com\/prometheus\/prometheus v(\S+)/m,
  // Nothing is scraped, so nothing need be discovered.
  build: (_version, target) =>
    goBuild(inRoom('prometheus'), target, 'github.com/prometheus/prometheus/cmd/prometheus', [
      '-tags=netgo,remove_all_sd'
    ]),
  run: ({ PROMETHEUS, PROMETHEUS_URL }, data) => ({
    arguments: [
      `--config.file=${inRoom('prometheus.yml')}`,
      `--web.listen-address=${PROMETHEUS}`,
      '--web.enable-otlp-receiver',
      // A process that begins anew under its old name is seen even where it has counted more than before.
      '--enable-feature=created-timestamp-zero-ingestion',
      `--storage.tsdb.path=${data}`
    ],
    health: `${PROMETHEUS_URL}/-/ready`
  })
}

/** In the order in which they stop: who sends before who receives. */
export const programs: readonly Program[] = [collector, jaeger, prometheus]

/** Builds a package of a module that the go.mod in `folder` requires. */
function goBuild(folder: string, target: string, name: string, flags: readonly string[] = []): GoCommand {
  const result = join(target, 'program')
  // Without debugging information the programs are a third smaller.
  const always = ['-mod=readonly', '-trimpath', '-ldflags=-s -w']
  return { arguments: ['build', ...always, ...flags, '-o', result, name], folder, result }
}
