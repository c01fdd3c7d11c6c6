import type { TokenReader } from './reader.js'

export const UNKNOWN = 'UNKNOWN'

export interface Operation {
  readonly operation: string
  /** The token after the operation's words. */
  readonly next: number
}

/** The operation of the statement at `at`, from PostgreSQL's command tags as far as they exist. A closed set. */
export function readOperation(reader: TokenReader, at: number): Operation {
  const verb = reader.word(at)
  if (verb === 'CREATE' || verb === 'ALTER' || verb === 'DROP') return readDefinition(reader, verb, at + 1)
  if (verb === 'PREPARE' && reader.word(at + 1) === 'TRANSACTION')
    return { operation: 'PREPARE TRANSACTION', next: at + 2 }
  return { operation: verbs.get(verb) ?? UNKNOWN, next: at + 1 }
}

function readDefinition(reader: TokenReader, verb: string, at: number): Operation {
  let next = at
  while (modifiers.has(reader.word(next))) next++
  const first = reader.word(next)
  const pair = `${first} ${reader.word(next + 1)}`
  if (objects.has(pair)) return { operation: `${verb} ${pair}`, next: next + 2 }
  return objects.has(first) ? { operation: `${verb} ${first}`, next: next + 1 } : { operation: verb, next }
}

const verbs = new Map<string, string>([
  ...(
    'ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY DEALLOCATE DELETE DISCARD DO EXECUTE EXPLAIN FETCH ' +
    'GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE REASSIGN REINDEX RELEASE RESET REVOKE ROLLBACK ' +
    'SAVEPOINT SECURITY SELECT SET SHOW TRUNCATE UNLISTEN UPDATE VACUUM'
  )
    .split(' ')
    .map((verb): [string, string] => [verb, verb]),
  ['ABORT', 'ROLLBACK'],
  ['ANALYSE', 'ANALYZE'],
  ['DECLARE', 'DECLARE CURSOR'],
  ['END', 'COMMIT'],
  ['REFRESH', 'REFRESH MATERIALIZED VIEW'],
  ['START', 'BEGIN'],
  ['TABLE', 'SELECT'],
  ['VALUES', 'SELECT']
])

const modifiers = new Set(
  'CONSTRAINT GLOBAL LOCAL OR PROCEDURAL RECURSIVE REPLACE TEMP TEMPORARY TRUSTED UNIQUE UNLOGGED'.split(' ')
)

const objects = new Set([
  ...(
    'AGGREGATE CAST COLLATION CONVERSION DATABASE DOMAIN EXTENSION FUNCTION GROUP INDEX LANGUAGE OPERATOR POLICY ' +
    'PROCEDURE PUBLICATION ROLE ROUTINE RULE SCHEMA SEQUENCE SERVER STATISTICS SUBSCRIPTION SYSTEM TABLE TABLESPACE ' +
    'TRANSFORM TRIGGER TYPE USER VIEW'
  ).split(' '),
  'ACCESS METHOD',
  'DEFAULT PRIVILEGES',
  'EVENT TRIGGER',
  'FOREIGN DATA',
  'FOREIGN TABLE',
  'MATERIALIZED VIEW',
  'TEXT SEARCH',
  'USER MAPPING'
])
