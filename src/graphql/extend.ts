import type { DocumentNode, GraphQLSchema } from 'graphql'

/** The part of Mercurius' `app.graphql` that is used. */
export interface ExtensibleSchema {
  readonly schema: GraphQLSchema
  extendSchema(document: DocumentNode): unknown
}

type Part = Record<string, unknown>

/**
 * Extends a schema and keeps all that is in it: graphql-js makes each type anew and takes of the old one only what it knows
 * itself, without the `__resolveReference` of a federated type. The schema is extended when it returns; what it returns are
 * the hooks of the application that run then.
 */
export function extendKeepingAll(host: ExtensibleSchema, document: DocumentNode): unknown {
  const before = host.schema
  const unusable = takeOutUnusable(before)
  try {
    return host.extendSchema(document)
  } finally {
    for (const { type, field, resolve } of unusable) {
      for (const schema of [before, host.schema]) Object.assign(fieldsOf(schema, type)[field] ?? {}, { resolve })
    }
    if (host.schema !== before) carryOver(before, host.schema)
  }
}

interface UnusableResolver {
  readonly type: string
  readonly field: string
  readonly resolve: unknown
}

/**
 * Takes out what stands for a resolver and is no function, such as that of a subscription where those are switched off. As
 * long as nobody calls it, it does no harm; only whoever extends the schema is refused.
 */
function takeOutUnusable(schema: GraphQLSchema): UnusableResolver[] {
  const unusable: UnusableResolver[] = []
  for (const type of Object.keys(schema.getTypeMap())) {
    for (const [field, definition] of Object.entries(fieldsOf(schema, type))) {
      const { resolve } = definition
      if (resolve === undefined || resolve === null || typeof resolve === 'function') continue
      unusable.push({ type, field, resolve })
      definition.resolve = undefined
    }
  }
  return unusable
}

function carryOver(before: GraphQLSchema, after: GraphQLSchema): void {
  after.description ??= before.description
  after.extensions = { ...before.extensions, ...after.extensions }
  for (const [name, type] of Object.entries(before.getTypeMap())) {
    const next = after.getType(name)
    if (next === undefined || next === type) continue
    addMissing(type as unknown as Part, next as unknown as Part)
    const fields = fieldsOf(after, name)
    for (const [field, definition] of Object.entries(fieldsOf(before, name))) addMissing(definition, fields[field])
  }
}

function addMissing(from: Part, to: Part | undefined): void {
  if (to === undefined) return
  for (const [key, value] of Object.entries(from)) if (!Object.hasOwn(to, key)) to[key] = value
}

/** By name; none where the type has none. */
function fieldsOf(schema: GraphQLSchema, name: string): Record<string, Part> {
  const type = schema.getType(name)
  return type !== undefined && 'getFields' in type ? (type.getFields() as unknown as Record<string, Part>) : {}
}
