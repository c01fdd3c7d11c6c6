import type { Argument, FieldPlan, SchemaPlan } from './schema.js'
import type { Tape } from './tape.js'

export interface QueryPlan {
  /** The type of the root: `Query` or `Mutation`. */
  readonly root: string
  readonly text: string
  readonly operationName: string | undefined
  readonly variables: Record<string, unknown>
}

const DEEPEST = 4
const MOST_PARTS = 25

const aliases = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'a', 'b'] as const

const literals = { a: '1', b: '"given"', c: '[1, 2]', d: '{ x: 1 }', id: '"7"' } as const

const variables = {
  a: { type: 'Int = 3', value: undefined },
  b: { type: 'String', value: 'from a variable' },
  c: { type: '[Int!]', value: null },
  d: { type: 'In', value: { x: 2 } },
  id: { type: 'ID!', value: 7 },
  yes: { type: 'Boolean!', value: true },
  no: { type: 'Boolean!', value: false }
} as const

type Variable = keyof typeof variables

export function planQuery(tape: Tape, schema: SchemaPlan): QueryPlan {
  const type = tape.pick(['query', 'query', 'mutation'])
  const writer = new Writer(tape, schema)
  const root = type === 'query' ? 'Query' : 'Mutation'
  const selection = writer.selection(root, 0, new Map())
  const used = [...writer.used]
  const declared = used.length === 0 ? '' : `(${used.map(name => `$${name}: ${variables[name].type}`).join(', ')})`
  const isNamed = tape.rarely(2)
  const others = tape.rarely(4) && isNamed ? ['query Other { name }'] : []
  return {
    root,
    text: [...others, `${type} ${isNamed ? 'Named' : ''}${declared} ${selection}`, ...writer.fragments].join('\n'),
    operationName: isNamed && (others.length > 0 || tape.rarely(2)) ? 'Named' : undefined,
    variables: Object.fromEntries(used.map(name => [name, variables[name].value]))
  }
}

/** Which field each name of an answer stands for, so that no two fields want the same name. */
type Taken = Map<string, string>

class Writer {
  readonly used = new Set<Variable>()
  readonly fragments: string[] = []
  readonly #tape: Tape
  readonly #schema: SchemaPlan
  #parts = 0

  constructor(tape: Tape, schema: SchemaPlan) {
    this.#tape = tape
    this.#schema = schema
  }

  selection(type: string, depth: number, taken: Taken): string {
    const parts = Array.from({ length: 1 + this.#tape.below(4) }, () => this.#part(type, depth, taken))
    return `{ ${[...parts.filter(part => part !== ''), '__typename'].join(' ')} }`
  }

  #part(type: string, depth: number, taken: Taken): string {
    this.#parts += 1
    if (this.#parts > MOST_PARTS) return ''
    const kind = this.#tape.pick(['field', 'field', 'field', 'inline', 'spread'])
    const directive = this.#directive()
    const inside = this.#schema.members.includes(type) || !this.#isAbstract(type) ? type : this.#member()
    if (kind === 'field' && !this.#isAbstract(type)) return this.#field(type, depth, taken, directive)
    if (kind === 'spread') {
      const name = `F${this.fragments.length}`
      const index = this.fragments.push('') - 1
      this.fragments[index] = `fragment ${name} on ${inside} ${this.selection(inside, depth, taken)}`
      return `...${name}${directive} ${this.#tape.rarely(3) ? `...${name}` : ''}`
    }
    return `... on ${inside}${directive} ${this.selection(inside, depth, taken)}`
  }

  #field(type: string, depth: number, taken: Taken, directive: string): string {
    const fields = this.#schema.types.get(type) ?? []
    const field = fields[this.#tape.below(fields.length)]
    if (field === undefined) return ''
    const isLeaf = !this.#schema.types.has(field.base) && !this.#isAbstract(field.base)
    if (!isLeaf && depth >= DEEPEST) return ''
    const alias = this.#tape.rarely(2) ? this.#tape.pick(aliases) : undefined
    const key = alias ?? field.name
    // Equal leaves are merged; objects, and the same field of two types, might clash further down.
    const signature = `${type}.${field.name}`
    if (taken.has(key) && (taken.get(key) !== signature || !isLeaf || field.takes.length > 0)) return ''
    taken.set(key, signature)
    const selection = isLeaf ? '' : ` ${this.selection(field.base, depth + 1, new Map())}`
    return `${alias === undefined ? '' : `${alias}: `}${field.name}${this.#arguments(field)}${directive}${selection}`
  }

  #arguments({ takes }: FieldPlan): string {
    const given = takes
      .filter(name => name === 'id' || !this.#tape.rarely(3))
      .map(name => `${name}: ${this.#value(name)}`)
    return given.length === 0 ? '' : `(${given.join(', ')})`
  }

  #value(name: Argument): string {
    return this.#tape.rarely(2) ? this.#variable(name) : literals[name]
  }

  #directive(): string {
    if (!this.#tape.rarely(5)) return ''
    const name = this.#tape.pick(['include', 'skip'])
    const condition = this.#tape.rarely(2)
      ? this.#variable(this.#tape.pick(['yes', 'no']))
      : this.#tape.pick(['true', 'false'])
    return ` @${name}(if: ${condition})`
  }

  #variable(name: Variable): string {
    this.used.add(name)
    return `$${name}`
  }

  #isAbstract(type: string): boolean {
    return type === 'Any' || type === 'Named'
  }

  #member(): string {
    const { members } = this.#schema
    return members[this.#tape.below(members.length)] ?? 'T0'
  }
}
