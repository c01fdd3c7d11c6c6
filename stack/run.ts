/**
 * `npm run stack`: Collector, Jaeger and Prometheus on free ports, until Ctrl-C. With `-- --build` it builds what is
 * missing and starts nothing.
 */
import { findBinaries } from './binaries.js'
import { StackError } from './errors.js'
import { programs } from './programs.js'
import { startStack, type Stack } from './stack.js'

const interrupted = new AbortController()
const stopping = new Promise<void>(resolve => {
  interrupted.signal.addEventListener('abort', () => {
    resolve()
  })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort()
  })
}

try {
  await (readOptions().build ? build() : run())
} catch (error) {
  // Interrupted before all was ready: nothing is wrong, and nothing is done either.
  if (!interrupted.signal.aborted) console.error(error instanceof StackError ? error.message : error)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}

function readOptions(): { readonly build: boolean } {
  const [option, ...others] = process.argv.slice(2)
  if ((option !== undefined && option !== '--build') || others.length > 0) {
    throw new StackError(`${process.argv.slice(2).join(' ')}: expected --build, which only builds, or nothing`)
  }
  return { build: option === '--build' }
}

async function build(): Promise<void> {
  await findBinaries(programs, { report: console.log, signal: interrupted.signal })
}

async function run(): Promise<void> {
  const stack = await startStack({ report: console.log, signal: interrupted.signal })
  console.log(describe(stack))
  try {
    const failure = await Promise.race([stopping, stack.failed])
    if (failure !== undefined) throw failure
  } finally {
    await stack.stop()
  }
}

function describe({ otlpHttp, otlpGrpc, jaegerUrl, prometheusUrl, collectorHealthUrl }: Stack): string {
  return [
    `Collector   ${otlpHttp} takes OTLP over HTTP, ${otlpGrpc} over gRPC; ${collectorHealthUrl} tells its health`,
    `Jaeger      ${jaegerUrl}/api/traces?service=tracker`,
    `Prometheus  ${prometheusUrl}`,
    '',
    'In another terminal:',
    `  OTEL_SERVICE_NAME=tracker OTEL_EXPORTER_OTLP_ENDPOINT=${otlpHttp} npm start`,
    '',
    'Ctrl-C stops all three.'
  ].join('\n')
}
