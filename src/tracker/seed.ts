import type { Client } from 'pg'
import { withLockedTransaction } from '../database/locked-transaction.js'
import { SetupError } from '../database/setup-error.js'
import { createSeedData, type Columns } from './seed-data.js'

/** The types of the columns that are not text, for the arrays that carry them. */
const columnTypes: Readonly<Record<string, string>> = {
  id: 'integer',
  project_id: 'integer',
  author_id: 'integer',
  assignee_id: 'integer',
  issue_id: 'integer',
  label_id: 'integer',
  created_at: 'timestamptz',
  updated_at: 'timestamptz'
}

/**
 * Fills empty tables with the demonstration data and says whether it did. Several instances at once seed once.
 *
 * @throws Error in production, whose tables nobody else may fill; SetupError where they cannot be filled
 */
export async function seed(connectionString: string): Promise<boolean> {
  if (process.env.NODE_ENV === 'production') throw new Error('the demonstration data is not for production')
  return withLockedTransaction(connectionString, async client => {
    try {
      return await fillEmptyTables(client)
    } catch (error) {
      throw new SetupError('filling the tables with demonstration data', error)
    }
  })
}

async function fillEmptyTables(client: Client): Promise<boolean> {
  if (!(await tablesAreEmpty(client))) return false
  for (const [table, columns] of Object.entries(createSeedData()) as [string, Columns][]) {
    await insert(client, table, columns)
  }
  await client.query('ANALYZE users, projects, labels, issues, comments, issue_labels')
  return true
}

async function tablesAreEmpty(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ empty: boolean }>(`
    SELECT NOT EXISTS (SELECT FROM users)
       AND NOT EXISTS (SELECT FROM projects)
       AND NOT EXISTS (SELECT FROM labels) AS empty
  `)
  return rows[0]?.empty === true
}

/** One statement a table, whatever its size: an array for each column. The names are constants of this folder. */
async function insert(client: Client, table: string, columns: Columns): Promise<void> {
  const names = Object.keys(columns)
  const arrays = names.map((name, index) => `$${index + 1}::${columnTypes[name] ?? 'text'}[]`)
  await client.query(
    `
      INSERT INTO ${table} (${names.join(', ')})
      SELECT * FROM unnest(${arrays.join(', ')})
    `,
    Object.values(columns)
  )
  if (names.includes('id')) await advanceIdentity(client, table)
}

/** The ids were given, so the sequence does not know of them yet. */
async function advanceIdentity(client: Client, table: string): Promise<void> {
  await client.query(`SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`)
}
