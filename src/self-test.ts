import { createRequire } from 'node:module'
import { isWrapped } from '@opentelemetry/instrumentation'
import type { Logger } from './logging/performance-log.js'
import { switchedOffBy } from './process-monitor.js'
import { isPatched } from './spans/resolvers/modules.js'

interface Probe {
  readonly name: string
  /** The end of the file that a wrapped module is loaded from. */
  readonly file: string
  /** The function that the instrumentation wraps, in that file's exports. */
  readonly wrapped: (exports: never) => unknown
}

const probes: readonly Probe[] = [
  {
    name: 'graphql (resolvers and operations)',
    file: '/graphql/execution/execute.js',
    wrapped: (exports: { execute?: unknown }) => exports.execute
  },
  {
    name: 'pg (queries)',
    file: '/pg/lib/client.js',
    wrapped: (exports: { prototype?: { query?: unknown } }) => exports.prototype?.query
  }
]

/** Says what is not measured and why: silence would look like an application that does nothing. */
export function warnOfBlindness(log: Pick<Logger, 'warn'>, hasSource: boolean, schema: unknown): void {
  const setting = hasSource ? undefined : switchedOffBy()
  if (setting !== undefined) {
    log.warn(
      { code: 'MPERF_NOT_MEASURING', reasons: [setting] },
      `mercurius-performance measures no resolvers, operations and queries: the process was started with ${setting}, ` +
        'so that nothing was installed. Start it again without that'
    )
    return
  }
  const reasons = [
    ...(hasSource ? [] : ['there is no preload, and no PerformanceSpanProcessor in a NodeSDK of your own']),
    ...(isBundled(schema)
      ? [`graphql was not loaded from a file: where it is part of a bundle, leave it out of that, with ${EXTERNAL}`]
      : []),
    ...notWrapped().map(library => `${library} was loaded before it could be wrapped, or without the preload`)
  ]
  if (reasons.length === 0) return
  log.warn(
    { code: 'MPERF_NOT_MEASURING', reasons },
    `mercurius-performance measures nothing there: ${reasons.join('; ')}. ` +
      'Start with: node --import mercurius-performance/register app.js'
  )
}

const EXTERNAL = 'mercurius, pg, graphql-jit and mercurius-performance (external)'

/** Whether a schema is of none of the graphqls that Node has loaded from files: what is not loaded cannot be wrapped. */
function isBundled(schema: unknown): boolean {
  return !loadedFrom('/graphql/type/schema.js').some(exports => {
    const { GraphQLSchema } = exports as { GraphQLSchema?: unknown }
    return typeof GraphQLSchema === 'function' && schema instanceof GraphQLSchema
  })
}

/**
 * The loaded libraries that no instrumentation has wrapped, so that nothing they do is measured. A library that is not
 * loaded is no finding: the service may not use it.
 */
function notWrapped(): string[] {
  return probes
    .filter(({ file, wrapped }) =>
      loadedFrom(file).some(exports => {
        const candidate = wrapped(exports as never)
        return typeof candidate === 'function' && !isWrapped(candidate) && !isPatched(candidate)
      })
    )
    .map(({ name }) => name)
}

/** What each loaded file exports whose path ends so. */
function loadedFrom(file: string): unknown[] {
  const { cache } = createRequire(import.meta.url)
  const paths = Object.keys(cache).filter(path => path.replaceAll('\\', '/').endsWith(file))
  return paths.map(path => cache[path]?.exports as unknown)
}
