import { createRequire } from 'node:module'
import { isWrapped } from '@opentelemetry/instrumentation'
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

/**
 * The loaded libraries that no instrumentation has wrapped, so that nothing they do is measured. A library that is not
 * loaded is no finding: the service may not use it.
 */
export function notWrapped(): string[] {
  const loaded = Object.entries(createRequire(import.meta.url).cache)
  return probes
    .filter(({ file, wrapped }) =>
      loaded.some(([path, module]) => {
        if (!path.replaceAll('\\', '/').endsWith(file)) return false
        const candidate = wrapped(module?.exports as never)
        return typeof candidate === 'function' && !isWrapped(candidate) && !isPatched(candidate)
      })
    )
    .map(({ name }) => name)
}
