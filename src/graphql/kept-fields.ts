import type { GraphQLSchema } from 'graphql'
import { PerformanceError } from '../errors.js'
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
 * it fails with MPERF_SCHEMA_CONFLICT.
 */
export function keepFields(host: AppSchema, options: KeptFieldsOptions): () => Promise<void> {
  const { fields, withMetrics, isGateway, changed, log } = options
  const add = (): Promise<void> => (isGateway ? Promise.resolve() : addMissingFields(host, fields, withMetrics))
  const defineResolvers = host.defineResolvers.bind(host)
  const replaceSchema = host.replaceSchema.bind(host)
  host.defineResolvers = resolvers => {
    changed()
    return defineResolvers(resolvers)
  }
  host.replaceSchema = schema => {
    const result = replaceSchema(schema)
    // The application goes on without our fields where its new schema cannot take them.
    add().catch((error: unknown) => {
      if (error instanceof PerformanceError) log.warn({ code: error.code }, error.message)
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
