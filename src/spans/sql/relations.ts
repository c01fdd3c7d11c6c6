import { declare, lookUp, tableName, type Scope } from './names.js'
import type { TokenReader } from './reader.js'
import { COMMA } from './tokens.js'

/** The main table of the query, INSERT, UPDATE, DELETE or MERGE that starts at `at`. */
export function queryTable(reader: TokenReader, at: number, outer: Scope | null): string | null {
  const { next, scope } = readWith(reader, at, outer)
  let i = next
  for (;;) {
    const table = reader.opens(i) ? queryTable(reader, i + 1, scope) : branchTable(reader, i, scope)
    if (table !== null) return table
    const operator = reader.find(setOperators, i)
    if (operator < 0) return null
    i = operator + 1
    while (quantifiers.has(reader.word(i))) i++
  }
}

/** Passes over `WITH name AS (...), ...`; at anything else it stays where it is. */
export function readWith(reader: TokenReader, at: number, outer: Scope | null): { next: number; scope: Scope | null } {
  let scope = outer
  if (reader.word(at) !== 'WITH') return { next: at, scope }
  const recursive = reader.word(at + 1) === 'RECURSIVE'
  let i = at + (recursive ? 2 : 1)
  for (;;) {
    const name = reader.name(i)
    if (!name) return { next: i, scope }
    const as = reader.opens(name.next) ? reader.after(name.next) : name.next
    if (reader.word(as) !== 'AS') return { next: i, scope }
    i = as + 1
    while (materialisation.has(reader.word(i))) i++
    const body = i + 1
    const visible = scope
    // Read when it is resolved: in WITH RECURSIVE every name of the list is in sight, otherwise the earlier ones.
    scope = declare(name.relation, scope, () => queryTable(reader, body, recursive ? scope : visible))
    i = reader.after(i)
    if (reader.symbol(i) === COMMA) i++
    else break
  }
  if (reader.opens(i)) return { next: i, scope }
  const main = reader.find(mainVerbs, i)
  return { next: main < 0 ? i : main, scope }
}

function branchTable(reader: TokenReader, at: number, scope: Scope | null): string | null {
  switch (reader.word(at)) {
    case 'SELECT':
      return selectTable(reader, at + 1, scope)
    case 'TABLE':
      return relationTable(reader, skipWords(reader, at + 1), scope)
    case 'INSERT':
    case 'MERGE':
    case 'DELETE':
    case 'UPDATE':
      return reader.table(skipWords(reader, at + 1))
    default:
      return null
  }
}

function selectTable(reader: TokenReader, at: number, scope: Scope | null): string | null {
  for (let i = at; !reader.ended(i); i = reader.after(i)) {
    const word = reader.word(i)
    if (word === 'FROM' && !isDistinctFrom(reader, i)) return fromTable(reader, i + 1, scope)
    if (clauses.has(word) && !isInExpression(reader, i)) return subqueryTable(reader, at, i, scope)
    if (reader.ended(reader.after(i))) return subqueryTable(reader, at, reader.after(i), scope)
  }
  return null
}

/** `SELECT EXISTS (SELECT ... FROM issues)` reads issues, though it has no FROM of its own. */
function subqueryTable(reader: TokenReader, start: number, end: number, scope: Scope | null): string | null {
  for (let i = start; i < end; i++) {
    if (!reader.opens(i) || !queryStarts.has(reader.word(i + 1))) continue
    const table = queryTable(reader, i + 1, scope)
    if (table !== null) return table
    i = reader.after(i) - 1
  }
  return null
}

/** The first relation among items parted by commas and joins. */
function fromTable(reader: TokenReader, at: number, scope: Scope | null): string | null {
  let item = true
  for (let i = at; !reader.ended(i); i = reader.after(i)) {
    if (item) {
      i = skipWords(reader, i)
      if (reader.ended(i)) return null
      const table = itemTable(reader, i, scope)
      if (table !== null) return table
    }
    const word = reader.word(i)
    if (clauses.has(word)) return null
    item = word === 'JOIN' || word === 'LATERAL' || word === 'ONLY' || reader.symbol(i) === COMMA
  }
  return null
}

function itemTable(reader: TokenReader, at: number, scope: Scope | null): string | null {
  if (!reader.opens(at)) return relationTable(reader, at, scope)
  return queryStarts.has(reader.word(at + 1)) ? queryTable(reader, at + 1, scope) : fromTable(reader, at + 1, scope)
}

function relationTable(reader: TokenReader, at: number, scope: Scope | null): string | null {
  const name = reader.name(at)
  if (!name || reader.opens(name.next) || (reader.word(at) === 'ROWS' && reader.word(at + 1) === 'FROM')) return null
  const common = name.schema === null ? lookUp(scope, name.relation) : null
  return common ? common.table() : tableName(name.schema, name.relation)
}

function skipWords(reader: TokenReader, at: number): number {
  let i = at
  while (beforeNames.has(reader.word(i))) i++
  return i
}

function isDistinctFrom(reader: TokenReader, at: number): boolean {
  if (reader.word(at - 1) !== 'DISTINCT') return false
  const before = reader.word(at - 2)
  return before === 'IS' || before === 'NOT'
}

/** `WITHIN GROUP (ORDER BY ...)` and `COLLATION FOR (...)`. */
function isInExpression(reader: TokenReader, at: number): boolean {
  return reader.word(at - 1) === 'WITHIN' || reader.word(at - 1) === 'COLLATION'
}

const beforeNames = new Set(['FROM', 'INTO', 'LATERAL', 'ONLY', 'TABLE'])
const clauses = new Set(
  'EXCEPT FETCH FOR GROUP HAVING INTERSECT LIMIT OFFSET ORDER RETURNING UNION WHERE WINDOW'.split(' ')
)
const mainVerbs = new Set(['DELETE', 'INSERT', 'MERGE', 'SELECT', 'TABLE', 'UPDATE', 'VALUES'])
const materialisation = new Set(['MATERIALIZED', 'NOT'])
const quantifiers = new Set(['ALL', 'DISTINCT'])
const queryStarts = new Set(['SELECT', 'TABLE', 'VALUES', 'WITH'])
const setOperators = new Set(['EXCEPT', 'INTERSECT', 'UNION'])
