import {
  firstNames,
  lastNames,
  products,
  layers,
  labelNames,
  moreLabelNames,
  colors,
  verbs,
  subjects,
  circumstances,
  remarks,
  statuses,
  priorities
} from './seed-words.js'

/** Columns rather than rows: each array becomes one parameter of one INSERT. */
export type Columns = Readonly<Record<string, readonly (string | number | null)[]>>

export interface SeedData {
  readonly users: Columns
  readonly projects: Columns
  readonly labels: Columns
  readonly issues: Columns
  readonly comments: Columns
  readonly issue_labels: Columns
}

export const seedCounts = { users: 50, projects: 20, labels: 12, issues: 2_000, comments: 10_000 } as const

const SEED = 20260101
const FIRST_DAY = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

/** The same data every time and everywhere: it depends on the constants of this file alone. */
export function createSeedData(): SeedData {
  const random = createRandom(SEED)
  const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
  const column = <Value>(count: number, value: (id: number) => Value): Value[] => ids(count).map(value)
  const at = (minutes: number): string => new Date(FIRST_DAY + minutes * MINUTE).toISOString()
  const { users, projects, labels, issues, comments } = seedCounts
  const person = (id: number): [first: string, last: string] => [
    elementAt(firstNames, id - 1),
    elementAt(lastNames, (id - 1) * 3 + Math.floor((id - 1) / firstNames.length))
  ]
  return {
    users: {
      id: ids(users),
      username: column(users, id => `${person(id).join('.').toLowerCase()}.${id}`),
      name: column(users, id => person(id).join(' ')),
      created_at: column(users, id => at(id))
    },
    projects: {
      id: ids(projects),
      key: column(projects, id => `${elementAt(products, id - 1).slice(0, 3)}${Math.ceil(id / 10)}`.toUpperCase()),
      name: column(projects, id => `${elementAt(products, id - 1)} ${elementAt(layers, Math.ceil(id / 10) - 1)}`),
      description: column(projects, () => sentence(random)),
      created_at: column(projects, id => at(100 + id))
    },
    labels: {
      id: ids(labels),
      name: column(labels, id => elementAt([...labelNames, ...moreLabelNames], id - 1)),
      color: column(labels, id => `#${elementAt(colors, id - 1)}`)
    },
    issues: createIssues(random, issues, at),
    comments: createComments(random, comments, at),
    issue_labels: createIssueLabels(random, issues, labels)
  }
}

type Random = () => number
type Clock = (minutes: number) => string

function createIssues(random: Random, count: number, at: Clock): Columns {
  const rows = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    // Skewed, as in life: the first projects have many issues, the last ones few.
    project_id: 1 + Math.floor(skewed(random) * seedCounts.projects),
    author_id: 1 + Math.floor(random() * seedCounts.users),
    assignee_id: random() < 0.3 ? null : 1 + Math.floor(skewed(random) * seedCounts.users),
    title: `${pick(random, verbs)} ${pick(random, subjects)} ${pick(random, circumstances)}`,
    body: [sentence(random), sentence(random), sentence(random)].join('\n\n'),
    status: pick(random, statuses),
    priority: pick(random, priorities),
    created_at: at(1_000 + index * 60),
    updated_at: at(1_000 + index * 60 + Math.floor(random() * 50))
  }))
  return toColumns(rows)
}

function createComments(random: Random, count: number, at: Clock): Columns {
  const rows = Array.from({ length: count }, (_, index) => {
    const issueId = 1 + Math.floor(random() * seedCounts.issues)
    return {
      id: index + 1,
      issue_id: issueId,
      author_id: 1 + Math.floor(random() * seedCounts.users),
      body: `${sentence(random)} ${sentence(random)}`,
      created_at: at(1_100 + issueId * 60 + index)
    }
  })
  return toColumns(rows)
}

function createIssueLabels(random: Random, issues: number, labels: number): Columns {
  const rows = Array.from({ length: issues }, (_, index) => index + 1).flatMap(issueId => {
    const chosen = new Set(Array.from({ length: Math.floor(random() * 4) }, () => 1 + Math.floor(random() * labels)))
    return Array.from(chosen, labelId => ({ issue_id: issueId, label_id: labelId }))
  })
  return toColumns(rows)
}

function toColumns(rows: readonly Readonly<Record<string, string | number | null>>[]): Columns {
  const names = Object.keys(rows[0] ?? {})
  return Object.fromEntries(names.map(name => [name, rows.map(row => row[name] ?? null)]))
}

/** Small numbers more often. Multiplied, because powers may differ in the last digit from one engine to the next. */
function skewed(random: Random): number {
  const value = random()
  return value * value
}

function sentence(random: Random): string {
  return pick(random, remarks)
}

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return elementAt(values, Math.floor(random() * values.length))
}

/** Counts on from the start where `index` passes the end. */
function elementAt<Value>(values: readonly Value[], index: number): Value {
  const value = values[index % values.length]
  if (value === undefined) throw new RangeError('there is nothing to choose from')
  return value
}

/** mulberry32: small, well spread, and without platform differences, since it is 32-bit integer arithmetic only. */
function createRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
