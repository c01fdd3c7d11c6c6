/** PostgreSQL cuts identifiers at 63 bytes (NAMEDATALEN - 1). */
const NAME_LENGTH = 63

/** `issues`, or `audit.events` when a schema other than public is named. */
export function tableName(schema: string | null, relation: string): string {
  const name = cutName(relation)
  return schema === null || schema === '' || schema === 'public' ? name : `${cutName(schema)}.${name}`
}

function cutName(name: string): string {
  if (name.length <= NAME_LENGTH) return name
  const last = name.charCodeAt(NAME_LENGTH - 1)
  return name.slice(0, last >= 0xd800 && last <= 0xdbff ? NAME_LENGTH - 1 : NAME_LENGTH)
}

/**
 * The common table expressions in sight, innermost first. Each is resolved at most once: a second look-up while the first
 * still runs is a recursive reference and finds no table, and a chain of references cannot grow exponentially.
 */
export interface Scope {
  readonly name: string
  readonly outer: Scope | null
  table: () => string | null
}

export function declare(name: string, outer: Scope | null, resolve: () => string | null): Scope {
  let table: string | null = null
  let resolved = false
  return {
    name,
    outer,
    table() {
      if (!resolved) {
        resolved = true
        table = resolve()
      }
      return table
    }
  }
}

export function lookUp(scope: Scope | null, name: string): Scope | null {
  let at = scope
  while (at && at.name !== name) at = at.outer
  return at
}
