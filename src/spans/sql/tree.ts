import type { Description } from './fallback.js'
import { declare, lookUp, tableName, type Scope } from './names.js'
import { child, first, list, text, unwrap } from './node.js'

/**
 * Operation and main table from libpg-query's parse tree. A statement that is not a query keeps the operation its first
 * words name: in PostgreSQL's grammar they decide it.
 */
export function describeTree(tree: unknown, operation: string): Description {
  const statement = child(first(child(tree, 'stmts')), 'stmt')
  const { type } = unwrap(statement)
  return { operation: queryOperations.get(type) ?? operation, table: statementTable(statement) }
}

function statementTable(statement: unknown): string | null {
  const { type, body } = unwrap(statement)
  switch (type) {
    case 'SelectStmt':
      return selectTable(body, null)
    case 'CopyStmt':
      return relationName(child(body, 'relation')) ?? statementTable(child(body, 'query'))
    case 'CreateTableAsStmt':
      return relationName(child(child(body, 'into'), 'rel'))
    case 'ViewStmt':
      return relationName(child(body, 'view'))
    case 'DropStmt':
      return tableObjects.has(text(child(body, 'removeType'))) ? objectName(first(child(body, 'objects'))) : null
    case 'TruncateStmt':
    case 'LockStmt':
      return relationName(unwrap(first(child(body, 'relations'))).body)
    case 'VacuumStmt':
      return relationName(child(unwrap(first(child(body, 'rels'))).body, 'relation'))
    case 'AlterTableStmt':
      return tableObjects.has(text(child(body, 'objtype'))) ? relationName(child(body, 'relation')) : null
    case 'RenameStmt': {
      const kind = text(child(body, 'renameType'))
      const object = kind === 'OBJECT_COLUMN' ? text(child(body, 'relationType')) : kind
      return tableObjects.has(object) ? relationName(child(body, 'relation')) : null
    }
    case 'AlterObjectSchemaStmt':
      return tableObjects.has(text(child(body, 'objectType'))) ? relationName(child(body, 'relation')) : null
    case 'ReindexStmt':
      return text(child(body, 'kind')) === 'REINDEX_OBJECT_TABLE' ? relationName(child(body, 'relation')) : null
    case 'DeclareCursorStmt':
    case 'ExplainStmt':
    case 'PrepareStmt':
      return statementTable(child(body, 'query'))
    default:
      return targets.has(type) ? relationName(child(body, 'relation')) : null
  }
}

function selectTable(select: unknown, outer: Scope | null): string | null {
  const scope = withScope(child(select, 'withClause'), outer)
  const left = child(select, 'larg')
  if (left !== undefined) return selectTable(left, scope) ?? selectTable(child(select, 'rarg'), scope)
  const from = list(child(select, 'fromClause'))
  if (from.length === 0) return subqueryTable(child(select, 'targetList'), scope)
  return firstTable(from, item => itemTable(item, scope))
}

function itemTable(item: unknown, scope: Scope | null): string | null {
  const { type, body } = unwrap(item)
  switch (type) {
    case 'RangeVar': {
      const common = child(body, 'schemaname') === undefined ? lookUp(scope, text(child(body, 'relname'))) : null
      return common ? common.table() : relationName(body)
    }
    case 'JoinExpr':
      return itemTable(child(body, 'larg'), scope) ?? itemTable(child(body, 'rarg'), scope)
    case 'RangeSubselect':
      return queryTable(child(body, 'subquery'), scope)
    case 'RangeTableSample':
      return itemTable(child(body, 'relation'), scope)
    default:
      return null
  }
}

/** The first table of a subquery among the columns, for a SELECT without a FROM of its own. */
function subqueryTable(node: unknown, scope: Scope | null): string | null {
  if (typeof node !== 'object' || node === null) return null
  const query = child(node, 'subselect')
  if (query !== undefined) return queryTable(query, scope)
  return firstTable(Object.values(node), value => subqueryTable(value, scope))
}

function withScope(clause: unknown, outer: Scope | null): Scope | null {
  const recursive = child(clause, 'recursive') === true
  let scope = outer
  for (const node of list(child(clause, 'ctes'))) {
    const { body } = unwrap(node)
    const visible = scope
    const query = child(body, 'ctequery')
    // Read when it is resolved: in WITH RECURSIVE every name of the list is in sight, otherwise the earlier ones.
    scope = declare(text(child(body, 'ctename')), scope, () => queryTable(query, recursive ? scope : visible))
  }
  return scope
}

function queryTable(query: unknown, scope: Scope | null): string | null {
  const { type, body } = unwrap(query)
  return type === 'SelectStmt' ? selectTable(body, scope) : statementTable(query)
}

function relationName(relation: unknown): string | null {
  const name = text(child(relation, 'relname'))
  return name === '' ? null : tableName(text(child(relation, 'schemaname')), name)
}

function objectName(object: unknown): string | null {
  const parts = list(child(unwrap(object).body, 'items')).map(item => text(child(unwrap(item).body, 'sval')))
  const name = parts.at(-1) ?? ''
  return name === '' ? null : tableName(parts.at(-2) ?? null, name)
}

function firstTable(nodes: readonly unknown[], find: (node: unknown) => string | null): string | null {
  for (const node of nodes) {
    const table = find(node)
    if (table !== null) return table
  }
  return null
}

const queryOperations = new Map([
  ['SelectStmt', 'SELECT'],
  ['InsertStmt', 'INSERT'],
  ['UpdateStmt', 'UPDATE'],
  ['DeleteStmt', 'DELETE'],
  ['MergeStmt', 'MERGE']
])
const targets = new Set(
  'ClusterStmt CreateStmt DeleteStmt IndexStmt InsertStmt MergeStmt RefreshMatViewStmt UpdateStmt'.split(' ')
)
const tableObjects = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_TABCONSTRAINT'])
