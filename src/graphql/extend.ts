import type { DocumentNode, GraphQLSchema } from 'graphql'

/** The part of Mercurius' `app.graphql` that is used. */
export interface ExtensibleSchema {
  readonly schema: GraphQLSchema
  extendSchema(document: DocumentNode): unknown
}

type Part = Record<string, unknown>

/**
 * Extends a schema and keeps all that is on it, on its types and directives, their fields, values and arguments: graphql-js
 * makes each of them anew and takes of the old one only what it knows itself, without the `__resolveReference` of a
 * federated type, and forgets that a schema is valid. The schema is extended when it returns; what it returns are the hooks
 * of the application that run then.
 */
export function extendKeepingAll(host: ExtensibleSchema, document: DocumentNode): unknown {
  const before = host.schema
  const unusable = takeOutUnusable(before)
  try {
    return host.extendSchema(document)
  } finally {
    // A hook may have put another one in the place of the extended one.
    const isExtended = hasAll(host.schema, document)
    for (const { type, field, resolve } of unusable) {
      for (const schema of isExtended ? [before, host.schema] : [before]) {
        Object.assign(fieldsOf(schema, type)[field] ?? {}, { resolve })
      }
    }
    if (isExtended) carryOver(before, host.schema)
  }
}

/** Whether a schema has every type and field that `document` adds to one. */
export function hasAll(schema: GraphQLSchema, document: DocumentNode): boolean {
  return document.definitions.every(definition => {
    if (!('name' in definition)) return true
    const fields = fieldsOf(schema, definition.name.value)
    const added = 'fields' in definition ? (definition.fields ?? []) : []
    return schema.getType(definition.name.value) !== undefined && added.every(({ name }) => name.value in fields)
  })
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
  // Found valid, or taken for it by whoever made it: what we add is valid, and the rest is not ours to judge.
  if (before.__validationErrors?.length === 0) after.__validationErrors ??= []
  addMissing(before, after)
  for (const directive of before.getDirectives()) {
    const next = after.getDirective(directive.name) ?? undefined
    addMissing(directive, next)
    addMissingByName(directive.args, next?.args)
  }
  for (const [name, type] of Object.entries(before.getTypeMap())) {
    const next = after.getType(name)
    if (next === undefined || next === type) continue
    addMissing(type, next)
    if ('getValues' in type) addMissingByName(type.getValues(), 'getValues' in next ? next.getValues() : [])
    const fields = fieldsOf(after, name)
    for (const [field, definition] of Object.entries(fieldsOf(before, name))) {
      addMissing(definition, fields[field])
      addMissingByName(argumentsOf(definition), argumentsOf(fields[field]))
    }
  }
}

interface Named {
  readonly name: string
}

function addMissingByName(from: readonly Named[], to: readonly Named[] = []): void {
  const next = new Map(to.map(part => [part.name, part]))
  for (const part of from) addMissing(part, next.get(part.name))
}

/** Whatever somebody else has put on a part of the schema, as it was put there. */
function addMissing(from: object, to: object | undefined): void {
  if (to === undefined) return
  for (const key of Reflect.ownKeys(from)) {
    const property = Reflect.getOwnPropertyDescriptor(from, key)
    if (property !== undefined && !Object.hasOwn(to, key)) Object.defineProperty(to, key, property)
  }
}

/** By name; none where the type has none. */
function fieldsOf(schema: GraphQLSchema, name: string): Record<string, Part> {
  const type = schema.getType(name)
  return type !== undefined && 'getFields' in type ? (type.getFields() as unknown as Record<string, Part>) : {}
}

/** None where it is a field of an input type. */
function argumentsOf(field: Part | undefined): readonly Named[] {
  return (field?.args ?? []) as readonly Named[]
}
