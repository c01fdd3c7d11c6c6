import { seededRandom } from '../../random.js'

export interface Request {
  readonly query: string
  readonly operationName?: string
  readonly variables?: Record<string, unknown>
}

/** Selections on each type; `#` stands for a selection on the type whose name follows. */
const selections = new Map<string, readonly string[]>([
  [
    'Query',
    [
      'sync',
      '__schema { queryType { name } }',
      'fails',
      'rejects',
      'thenable',
      'list',
      'plain { value }',
      'nothing #Item',
      'item(id: 4, note: "a { brace } and (brackets)") #Item',
      'item(id: -1) #Item',
      'items(count: 3) #Item',
      'items(count: 2, page: { offset: 1, tags: ["a", "b"] }) #Item',
      'search(text: "x") { __typename ... on Item #Item ... on Person #Person ... on Named { name } }',
      'strict { fine fails }',
      'strict { fine }'
    ]
  ],
  [
    'Mutation',
    [
      'rename(id: 1, name: "new") #Item',
      'rename(id: 2) #Item',
      'refuse(id: 1) #Item',
      'rename(id: 3, name: null) #Item'
    ]
  ],
  [
    'Item',
    [
      'id',
      'name',
      'parent #Item',
      'loaded',
      'owner #Person',
      'odd',
      'related #Item',
      'related(first: 1) #Item',
      '__typename'
    ]
  ],
  ['Person', ['name', 'items #Item', '__typename']]
])

/**
 * Of an alias at the top that `Object.prototype` has too, such as `constructor`, OpenTelemetry's instrumentation makes no
 * span, so those are left out; ours counts them (resolvers.test.ts). Further down they are fine.
 */
const topAliases = ['first', 'second', 'then', 'length'] as const
const aliases = [...topAliases, 'constructor', 'toString', '__proto__'] as const

const names = [
  'Listed',
  'Paged',
  'constructor',
  '__proto__',
  'hasOwnProperty',
  `Long${'g'.repeat(200)}`,
  'Name_1'
] as const

/** Varied operations, the same for the same seed. */
export function varied(count: number, seed: number): Request[] {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item

  const selection = (type: string, depth: number): string => {
    const parts = Array.from({ length: 1 + below(3) }, (_, index) => {
      const chosen = pick(selections.get(type) ?? [])
      // Deep down nothing but leaves.
      const part = depth > 3 && chosen.includes('#') ? 'name' : chosen
      const alias = part.startsWith('__') || below(3) > 0 ? '' : pick(depth === 0 ? topAliases : aliases)
      const named = alias === '' ? part : `${alias}${alias === '__proto__' ? '' : index}: ${part}`
      return named.replaceAll(/#(\w+)/g, (_match, name: string) => selection(name, depth + 1))
    })
    // Fields that are selected twice with other arguments would clash, so each is in a selection once.
    const once = new Map(parts.map(part => [/^\w+/.exec(part)?.[0], part]))
    const inside = [...once.values()].join(' ')
    return below(4) === 0 ? `{ ... on ${type} { ${inside} } }` : `{ ${inside} }`
  }

  return Array.from({ length: count }, (_, index): Request => {
    const kind = below(10)
    const name = below(3) === 0 ? '' : `${pick(names)}${below(2) === 0 ? '' : index}`
    if (kind === 0) return { query: `mutation ${name} ${selection('Mutation', 0)}` }
    if (kind === 1) {
      const query = `query ${name}($id: ID!, $note: String = "n") { item(id: $id, note: $note) ${selection('Item', 1)} }`
      return { query, variables: { id: String(index) } }
    }
    if (kind === 2) {
      const query = `query One { sync } query Two { ...Parts } fragment Parts on Query ${selection('Query', 0)}`
      return { query, operationName: pick(['One', 'Two']) }
    }
    if (kind === 3) {
      const query = `query ${name}($yes: Boolean!) { sync @include(if: $yes) fails @skip(if: $yes) items(count: 1) ${selection('Item', 1)} }`
      return { query, variables: { yes: below(2) === 0 } }
    }
    return { query: name === '' && below(2) === 0 ? selection('Query', 0) : `query ${name} ${selection('Query', 0)}` }
  })
}
