import type { GraphQLSchema } from 'graphql'
import { PerformanceError } from '../errors.js'
import { watchSchema } from '../lib/schema-watch.js'
import { addMissingFields, type SchemaHost } from './fields.js'
import type { FieldsOptions } from './resolvers.js'

export interface AppSchema extends SchemaHost {
  replaceSchema(schema: GraphQLSchema): unknown
}

interface Log {
  info(message: string): void
  warn(fields: object, message: string): void
}

export interface KeptFieldsOptions {
  readonly fields: FieldsOptions
  /** Whether `_performanceMetrics` is to be there, and not only `_performance`. */
  readonly withMetrics: boolean
  /** Whether the schema is put together from those of other services, and forbids to be extended. */
  readonly isGateway: boolean
  /** To be told that a schema which was executed already may have other resolvers. */
  readonly changed: () => void
  readonly log: Log
}

/**
 * Sees to it that our fields are in the schema of an app, whatever it is replaced by. Returns what adds those that are not;
 * it fails with MPERF_SCHEMA_CONFLICT, or with what a hook of the application failed with.
 */
export function keepFields(host: AppSchema, options: KeptFieldsOptions): () => Promise<void> {
  const { fields, withMetrics, isGateway, changed, log } = options
  const defineResolvers = host.defineResolvers.bind(host)
  const replaceSchema = host.replaceSchema.bind(host)
  let isFirst = true
  /** How many times our fields are being added now, and whether the schema was replaced meanwhile. */
  let adding = 0
  let isReplaced = false

  const addOnce = async (): Promise<void> => {
    isReplaced = false
    const added = addMissingFields(host, fields, { withMetrics, isFirst })
    isFirst = false
    await added
  }
  const add = async (): Promise<void> => {
    if (isGateway) return
    adding += 1
    try {
      await addOnce()
      // By a hook of the application, which our fields have called. They call it again, so it is followed once.
      if (isReplaced) await addOnce()
      if (isReplaced)
        log.warn({}, 'mercurius-performance: a hook onExtendSchema takes the performance fields out again')
    } finally {
      adding -= 1
    }
  }

  watchSchema(host, changed)
  host.defineResolvers = resolvers => {
    changed()
    return defineResolvers(resolvers)
  }
  host.replaceSchema = schema => {
    const result = replaceSchema(schema)
    isReplaced = true
    if (adding > 0) return result
    // A running application goes on without our fields where its new schema cannot take them. Before it is ready, the
    // plugin calls `add` once more, and the start fails.
    add().catch((error: unknown) => {
      if (error instanceof PerformanceError) log.warn({ code: error.code }, error.message)
      else log.warn({ err: error }, 'mercurius-performance: a hook onExtendSchema failed on the performance fields')
    })
    return result
  }
  if (isGateway) {
    log.info(
      'mercurius-performance: a gateway refuses to have its schema extended, so it is without the performance fields'
    )
  }
  return add
}
