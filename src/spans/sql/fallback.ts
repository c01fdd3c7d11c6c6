import { readOperation } from './operations.js'
import { TokenReader } from './reader.js'
import { queryTable, readWith } from './relations.js'
import { OPEN_PARENTHESIS, SEMICOLON, type TokenList } from './tokens.js'

export interface Description {
  readonly operation: string
  readonly table: string | null
}

/** Operation and main table from the tokens alone, for when the parser is not to be had. */
export function describeTokens(tokens: TokenList): Description {
  const reader = new TokenReader(tokens)
  let at = 0
  while (reader.symbol(at) === SEMICOLON) at++
  try {
    return describeStatement(reader, at)
  } catch {
    // Brackets nested deeper than the stack allows: the first word is what is left.
    return { operation: readOperation(reader, at).operation, table: null }
  }
}

function describeStatement(reader: TokenReader, at: number): Description {
  const { operation, next } = readOperation(reader, mainVerb(reader, at))
  return { operation, table: statementTable(reader, operation, at, next) }
}

/** The word that names the operation: through the brackets of `((SELECT ...) UNION ...)` and the WITH before it. */
function mainVerb(reader: TokenReader, at: number): number {
  let i = at
  for (;;) {
    while (reader.opens(i)) i++
    if (reader.word(i) !== 'WITH') return i
    i = readWith(reader, i, null).next
    // A second WITH is none of a statement's; a text full of them would be read again from each.
    if (!reader.opens(i)) return i
  }
}

function statementTable(reader: TokenReader, operation: string, at: number, next: number): string | null {
  if (queries.has(operation)) return queryTable(reader, at, null)
  const separator = innerStatements.get(operation)
  if (separator) {
    const inner = reader.find(separator, next)
    return inner < 0 ? null : describeStatement(reader, inner + 1).table
  }
  if (operation === 'EXPLAIN') return describeStatement(reader, skipOptions(reader, next)).table
  if (operation === 'CREATE INDEX') {
    const on = reader.find(onWord, next)
    return on < 0 ? null : reader.table(skipNoise(reader, on + 1))
  }
  if (operation === 'COPY' && reader.opens(next)) return describeStatement(reader, next + 1).table
  if (operation === 'REINDEX') {
    const kind = skipOptions(reader, next)
    return reader.word(kind) === 'TABLE' ? reader.table(skipNoise(reader, kind)) : null
  }
  return directTargets.has(operation) ? reader.table(skipNoise(reader, skipOptions(reader, next))) : null
}

/** `EXPLAIN (ANALYZE, BUFFERS) SELECT`: the options, but not the brackets of `EXPLAIN (SELECT ...)`. */
function skipOptions(reader: TokenReader, at: number): number {
  const options =
    reader.opens(at) && reader.symbol(at + 1) !== OPEN_PARENTHESIS && !queryStarts.has(reader.word(at + 1))
  return skipFlags(reader, options ? reader.after(at) : at)
}

function skipFlags(reader: TokenReader, at: number): number {
  let i = at
  while (flags.has(reader.word(i))) i++
  return i
}

function skipNoise(reader: TokenReader, at: number): number {
  let i = at
  while (noise.has(reader.word(i))) i++
  return i
}

const queries = new Set(['DELETE', 'INSERT', 'MERGE', 'SELECT', 'UPDATE'])
const innerStatements = new Map([
  ['DECLARE CURSOR', new Set(['FOR'])],
  ['PREPARE', new Set(['AS'])]
])
const directTargets = new Set(
  ['CREATE', 'ALTER', 'DROP'].flatMap(verb => [`${verb} TABLE`, `${verb} VIEW`, `${verb} MATERIALIZED VIEW`])
)
for (const verb of ['ANALYZE', 'CLUSTER', 'COPY', 'LOCK', 'REFRESH MATERIALIZED VIEW', 'TRUNCATE', 'VACUUM']) {
  directTargets.add(verb)
}
const flags = new Set(['ANALYSE', 'ANALYZE', 'BINARY', 'FREEZE', 'FULL', 'VERBOSE'])
const noise = new Set(['CONCURRENTLY', 'EXISTS', 'IF', 'MATERIALIZED', 'NOT', 'ONLY', 'TABLE', 'VIEW'])
const onWord = new Set(['ON'])
const queryStarts = new Set(['SELECT', 'TABLE', 'VALUES', 'WITH', 'DELETE', 'INSERT', 'MERGE', 'UPDATE'])
