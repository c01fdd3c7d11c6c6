import type { Tracer } from '@opentelemetry/api'
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql'
import { isOwnField } from '../../lib/names.js'
import { executionOf, type Path } from './execution.js'
import { MeasuredField, type Field, type Resolver } from './field.js'
import type { SchemaSink } from './sinks.js'

type Role = 'resolve' | 'subscribe'

interface Wrapper {
  readonly definition: Field
  /** What was there before. */
  readonly resolve: Resolver
  /** The calls that a wrapper around this one counts already; undefined while there is no such wrapper. */
  countedOutside: WeakSet<Path> | undefined
}

/** Which functions are wrappers of ours: a schema that extends another takes over its resolvers. */
const wrappers = new WeakMap<Resolver, Wrapper>()

/** Puts a measured resolver in the place of each resolver of a schema. */
export class SchemaWrapper {
  readonly #sink: SchemaSink
  readonly #tracer: () => Tracer
  readonly #versions = new WeakMap<GraphQLSchema, number>()
  /** The wrapper that was put on a field last. */
  readonly #newest = new WeakMap<Field, Partial<Record<Role, Resolver>>>()

  constructor(sink: SchemaSink, tracer: () => Tracer) {
    this.#sink = sink
    this.#tracer = tracer
  }

  /** Wraps the schema if nothing says it is wrapped already; cheap to call before every execution. */
  wrapOnce(schema: GraphQLSchema): void {
    if (this.#versions.get(schema) !== this.#sink.schemaVersion) this.wrap(schema)
  }

  /** Wraps what is not wrapped yet. */
  wrap(schema: GraphQLSchema): void {
    this.#versions.set(schema, this.#sink.schemaVersion)
    const subscription = schema.getSubscriptionType()
    for (const type of Object.values(schema.getTypeMap())) {
      // Interfaces have fields too, but nobody resolves them there.
      if (!('isTypeOf' in type) || type.name.startsWith('__')) continue
      for (const field of Object.values(type.getFields()) as Field[]) {
        if (isOwnField(type.name, field.name)) continue
        this.#wrapField(field, 'resolve', type.name)
        if (type === subscription) this.#wrapField(field, 'subscribe', type.name)
      }
    }
  }

  #wrapField(definition: Field, role: Role, type: string): void {
    const current = definition[role]
    const known = current && wrappers.get(current)
    if (!current || known?.definition === definition) return
    const resolve = known?.resolve ?? current
    const name = `${type}.${definition.name}${role === 'subscribe' ? ' (subscribe)' : ''}`
    const measured = new MeasuredField(name, type, definition, this.#sink, this.#tracer())
    if (resolve.constructor.name === 'AsyncFunction') measured.mayWait()
    const wrapper: Wrapper = { definition, resolve, countedOutside: undefined }
    const wrapped = wrap(wrapper, role, measured, this.#inside(definition, role))
    wrappers.set(wrapped, wrapper)
    this.#newest.set(definition, { ...this.#newest.get(definition), [role]: wrapped })
    definition[role] = wrapped
  }

  /** The wrapper that somebody has wrapped in the meantime, so that one call must not be counted twice. */
  #inside(definition: Field, role: Role): WeakSet<Path> | undefined {
    const before = this.#newest.get(definition)?.[role]
    const wrapper = before && wrappers.get(before)
    return wrapper && (wrapper.countedOutside ??= new WeakSet())
  }
}

function wrap(wrapper: Wrapper, role: Role, field: MeasuredField, inside: WeakSet<Path> | undefined): Resolver {
  const { definition, resolve } = wrapper
  const wrapped = function (
    this: unknown,
    source: unknown,
    args: Record<string, unknown>,
    contextValue: unknown,
    info: GraphQLResolveInfo
  ): unknown {
    const execution = executionOf(contextValue)
    if (execution === undefined || wrapper.countedOutside?.has(info.path)) {
      return resolve.call(this, source, args, contextValue, info)
    }
    inside?.add(info.path)
    return field.call(resolve, this, source, args, contextValue, info, execution, definition[role] === wrapped)
  }
  return wrapped
}
