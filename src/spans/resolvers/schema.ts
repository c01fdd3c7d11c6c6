import type { Tracer } from '@opentelemetry/api'
import type { GraphQLSchema } from 'graphql'
import { isOwnField } from '../../lib/names.js'
import { isMeasured, measured, type ResolverSink } from './measure.js'

/** Puts a measured resolver in the place of each resolver of a schema, once. */
export class SchemaWrapper {
  readonly #sink: ResolverSink
  readonly #tracer: () => Tracer
  readonly #wrapped = new WeakSet<GraphQLSchema>()

  constructor(sink: ResolverSink, tracer: () => Tracer) {
    this.#sink = sink
    this.#tracer = tracer
  }

  /** Wraps the schema if it has not been wrapped yet; cheap to call before every execution. */
  wrapOnce(schema: GraphQLSchema): void {
    if (!this.#wrapped.has(schema)) this.wrap(schema)
  }

  /** Wraps what is not wrapped yet: resolvers may be defined after the first execution. */
  wrap(schema: GraphQLSchema): void {
    this.#wrapped.add(schema)
    for (const type of Object.values(schema.getTypeMap())) {
      // Interfaces have fields too, but nobody resolves them there.
      if (!('isTypeOf' in type) || type.name.startsWith('__')) continue
      for (const field of Object.values(type.getFields())) {
        if (!field.resolve || isMeasured(field.resolve) || isOwnField(type.name, field.name)) continue
        field.resolve = measured(`${type.name}.${field.name}`, field.resolve, this.#sink, this.#tracer())
      }
    }
  }
}
