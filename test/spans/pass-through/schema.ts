import type { Tape } from './tape.js'

export const succeeding = [
  'at once',
  'promise',
  'async function',
  'late',
  'thenable',
  'late thenable',
  'subclass of Promise'
] as const

export const settlings = [
  ...succeeding,
  'throws',
  'rejects',
  'rejects late',
  'thenable rejects',
  'promise of an error'
] as const

export const leaves = ['right', 'null', 'undefined', 'wrong', 'an error', 'boxed'] as const

export const lists = [
  'array',
  'promises',
  'some reject',
  'some are null',
  'Set',
  'generator',
  'frozen',
  'async iterable',
  'no list',
  'null'
] as const

export const objects = [
  'plain',
  'null prototype',
  'inherited',
  'frozen',
  'Proxy',
  'function',
  'null',
  'an error',
  'text'
] as const

export const reasons = [
  'Error',
  'Error with extensions',
  'text',
  'undefined',
  'null',
  'symbol',
  'number',
  'frozen',
  'Proxy'
] as const

/** All that one field of the schema is and does. */
export interface FieldPlan {
  readonly parent: string
  readonly name: string
  readonly type: string
  /** The type without its wrappers. */
  readonly base: string
  readonly takes: readonly Argument[]
  /** How it gets its value: from a resolver of its own, or from a property or method of the object. */
  readonly from: 'resolver' | 'property' | 'method'
  readonly settling: (typeof settlings)[number]
  readonly leaf: (typeof leaves)[number]
  readonly list: (typeof lists)[number]
  readonly length: number
  readonly object: (typeof objects)[number]
  readonly reason: (typeof reasons)[number]
}

export interface SchemaPlan {
  /** The fields of each object type, `Query` and `Mutation` among them. */
  readonly types: ReadonlyMap<string, readonly FieldPlan[]>
  /** The members of the union and the implementations of the interface. */
  readonly members: readonly string[]
}

export type Argument = keyof typeof argumentTypes

export const argumentTypes = { a: 'Int', b: 'String = "d"', c: '[Int!]', d: 'In', id: 'ID!' } as const

const scalars = ['String', 'Int', 'Float', 'Boolean', 'ID', 'Color'] as const
const wrappers = ['', '!', '[]', '[!]!', '[]!', '[[]]'] as const
const names = ['f0', 'f1', 'f2', 'f3', 'constructor', 'toString', 'valueOf'] as const

export function planSchema(tape: Tape): SchemaPlan {
  const members = ['T0', 'T1', 'T2'].slice(0, 1 + tape.below(3))
  const types = new Map<string, FieldPlan[]>()
  for (const parent of ['Query', 'Mutation', ...members]) {
    const fields = names.slice(0, 1 + tape.below(names.length)).map(name => planField(tape, parent, name, members))
    types.set(parent, [
      ...fields,
      { ...planField(tape, parent, 'name', members), type: 'String', base: 'String', takes: [] }
    ])
  }
  return { types, members }
}

function planField(tape: Tape, parent: string, name: string, members: readonly string[]): FieldPlan {
  const base = tape.rarely(2)
    ? (['T0', ...members, 'Any', 'Named'][tape.below(members.length + 3)] ?? 'T0')
    : tape.pick(scalars)
  return {
    parent,
    name,
    base,
    type: wrapped(base, tape.pick(wrappers)),
    takes: tape.rarely(3) ? (['a', 'b', 'c', 'd', 'id'] as const).filter(() => tape.rarely(2)) : [],
    from: tape.pick(['resolver', 'resolver', 'property', 'method']),
    // What ends in an error may end the object around it too, so most fields succeed.
    settling: tape.rarely(3) ? tape.pick(settlings) : tape.pick(succeeding),
    leaf: tape.rarely(3) ? tape.pick(leaves) : 'right',
    list: tape.rarely(2) ? tape.pick(lists) : 'array',
    length: tape.below(4),
    object: tape.rarely(2) ? tape.pick(objects) : 'plain',
    reason: tape.pick(reasons)
  }
}

function wrapped(base: string, wrapper: (typeof wrappers)[number]): string {
  if (!wrapper.startsWith('[')) return base + wrapper
  return wrapper.replace(/^(\[+)/, `$1${base}`)
}

export function schemaText({ types, members }: SchemaPlan): string {
  const objectTypes = [...types].map(([name, fields]) => {
    const lines = fields.map(field => `  ${field.name}${argumentsText(field.takes)}: ${field.type}`)
    return `type ${name}${members.includes(name) ? ' implements Named' : ''} {\n${lines.join('\n')}\n}`
  })
  return [
    'enum Color { RED GREEN }',
    'input In { x: Int  y: String = "y" }',
    'interface Named { name: String }',
    `union Any = ${members.join(' | ')}`,
    ...objectTypes
  ].join('\n')
}

function argumentsText(takes: readonly Argument[]): string {
  return takes.length === 0 ? '' : `(${takes.map(name => `${name}: ${argumentTypes[name]}`).join(', ')})`
}
