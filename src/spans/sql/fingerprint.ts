import { hash } from 'node:crypto'
import { child, text } from './node.js'

const LENGTH = 16

/**
 * The library's fingerprint, and into it the relations that it does not tell apart: to the library
 * `SELECT i.id FROM issues i` and `SELECT i.id FROM labels i` are one statement, as are `a.issues` and `b.issues`,
 * `events_2025` and `events_2026`. Where there are no such relations it is the library's own.
 *
 * @param given 16 hex digits
 * @param tree what `given` was made of
 */
export function fingerprintOf(given: string, tree: unknown): string {
  const left = leftOut(tree)
  if (left.size === 0) return given
  return hash('sha256', JSON.stringify([given, ...[...left].sort()])).slice(0, LENGTH)
}

/** What the library takes for part of a number: https://github.com/pganalyze/libpg_query/wiki/Fingerprinting */
const NUMBERED = /\d\d/
/** Of a clock or of a counter, which would make a statement of each run of a job. */
const GENERATED = /\d{9,}/g

/** The relations of whose name the library reads nothing, or not all, each with its alias. */
function leftOut(tree: unknown): Set<string> {
  const found = new Set<string>()
  // Not by recursion, which could outgrow the stack before the parser's own does.
  const waiting = [tree]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node !== 'object' || node === null) continue
    const name = text(child(node, 'relname')).replace(GENERATED, '')
    const schema = text(child(node, 'schemaname'))
    const alias = text(child(child(node, 'alias'), 'aliasname'))
    if (name !== '' && (schema !== '' || alias !== '' || NUMBERED.test(name))) {
      found.add(JSON.stringify([schema, name, alias]))
    }
    waiting.push(...(Object.values(node) as unknown[]))
  }
  return found
}
