import type { Tracer } from '@opentelemetry/api'
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql'
import { hasMetrics, isOwnField } from '../../lib/names.js'
import { executionOf } from './context-values.js'
import type { Execution, Path } from './execution.js'
import { MeasuredField, type Field, type Resolver } from './field.js'
import type { SchemaSink } from './sinks.js'

type Role = 'resolve' | 'subscribe'

interface Wrapper {
  readonly definition: Field
  /** What was there before. */
  readonly resolve: Resolver
}

/** What the wrappers of one field, in whatever schema, know of each other. */
interface Family {
  /**
   * The calls that are counted already, where one wrapper may be inside another: somebody may wrap a measured resolver,
   * or carry it into another schema. Undefined while that cannot be.
   */
  counted: WeakSet<Path> | undefined
}

/** Which functions are wrappers of ours: a schema that extends another takes over its resolvers. */
const wrappers = new WeakMap<Resolver, Wrapper>()

/** Puts a measured resolver in the place of each resolver of a schema. */
export class SchemaWrapper {
  readonly #sink: SchemaSink
  readonly #tracer: () => Tracer
  readonly #versions = new WeakMap<GraphQLSchema, number>()
  /** By name. */
  readonly #families = new Map<string, Family>()

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
    const withMetrics = hasMetrics(schema)
    for (const type of Object.values(schema.getTypeMap())) {
      // Interfaces have fields too, but nobody resolves them there.
      if (!('isTypeOf' in type) || type.name.startsWith('__')) continue
      for (const field of Object.values(type.getFields()) as Field[]) {
        if (isOwnField(type.name, field.name, withMetrics)) continue
        this.#wrapField(field, 'resolve', type.name)
        if (type === subscription) this.#wrapField(field, 'subscribe', type.name)
      }
    }
  }

  #wrapField(definition: Field, role: Role, type: string): void {
    const current = definition[role]
    // What is no function nobody can call.
    if (typeof current !== 'function') return
    const known = wrappers.get(current)
    if (known?.definition === definition) return
    const resolve = known?.resolve ?? current
    const name = `${type}.${definition.name}${role === 'subscribe' ? ' (subscribe)' : ''}`
    const measured = new MeasuredField(name, type, definition, this.#sink, this.#tracer())
    if (resolve.constructor.name === 'AsyncFunction') measured.mayWait()
    const wrapped = wrap({ definition, resolve }, role, measured, this.#familyOf(name, known === undefined))
    wrappers.set(wrapped, { definition, resolve })
    definition[role] = wrapped
  }

  #familyOf(name: string, mayHoldAnother: boolean): Family {
    const family = this.#families.get(name)
    if (family === undefined) {
      const created: Family = { counted: undefined }
      this.#families.set(name, created)
      return created
    }
    if (mayHoldAnother) family.counted ??= new WeakSet()
    return family
  }
}

function wrap({ definition, resolve }: Wrapper, role: Role, field: MeasuredField, family: Family): Resolver {
  const { operations } = field
  // Short, and `info` goes nowhere but to the resolver, so that V8 compiles it and what it calls into the engine's own
  // code and never makes the `info` that graphql-jit writes down for each call.
  const wrapped = function (
    this: unknown,
    source: unknown,
    args: Record<string, unknown>,
    contextValue: unknown,
    info: GraphQLResolveInfo
  ): unknown {
    const execution = executionOf(contextValue)
    if (execution === undefined) return resolve.call(this, source, args, contextValue, info)
    if (execution.isSpecial || family.counted !== undefined) {
      return special(execution, this, source, args, contextValue, info)
    }
    const { call: outer, inContext } = operations
    const call = field.begin(execution, args)
    let result: unknown
    try {
      result = resolve.call(this, source, args, contextValue, info)
    } catch (error) {
      operations.call = outer
      operations.inContext = inContext
      field.threw(call)
      throw error
    }
    operations.call = outer
    operations.inContext = inContext
    return field.returned(call, result, definition[role] === wrapped)
  }
  const special = (
    execution: Execution,
    self: unknown,
    source: unknown,
    args: Record<string, unknown>,
    contextValue: unknown,
    info: GraphQLResolveInfo
  ): unknown => {
    const run = (): unknown => resolve.call(self, source, args, contextValue, info)
    if (isCounted(family, info)) return run()
    const { call: outer, inContext } = operations
    const call = field.begin(execution, args, execution.facts.wantsTimings ? pathOf(info) : undefined)
    let result: unknown
    try {
      result = field.within(call, run)
    } catch (error) {
      operations.call = outer
      operations.inContext = inContext
      field.threw(call)
      throw error
    }
    operations.call = outer
    operations.inContext = inContext
    return field.returned(call, result, definition[role] === wrapped)
  }
  return wrapped
}

/** Takes note of a call; whether a wrapper around this one has done so. */
function isCounted({ counted }: Family, info: GraphQLResolveInfo): boolean {
  const path = pathOf(info)
  if (counted === undefined || path === undefined) return false
  if (counted.has(path)) return true
  counted.add(path)
  return false
}

/** Whoever calls a resolver by hand may leave the info out. */
function pathOf(info: GraphQLResolveInfo | undefined): Path | undefined {
  return info?.path
}
