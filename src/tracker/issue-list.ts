import type { Pool } from 'pg'
import { readPage, toConnection, type Connection, type PageArguments } from './connection.js'
import { checkText, parseFilterId } from './input.js'

export type IssueStatus = 'OPEN' | 'IN_PROGRESS' | 'CLOSED'
export type IssuePriority = 'LOW' | 'NORMAL' | 'HIGH' | 'URGENT'

export interface IssueRow {
  readonly id: number
  readonly projectId: number
  readonly authorId: number
  readonly assigneeId: number | null
  readonly title: string
  readonly body: string
  readonly status: IssueStatus
  readonly priority: IssuePriority
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface IssueFilter {
  readonly projectId?: string | null
  readonly status?: IssueStatus | null
  readonly assigneeId?: string | null
  readonly labelId?: string | null
  readonly search?: string | null
}

export interface IssuePageArguments extends PageArguments {
  readonly status?: IssueStatus | null
}

/** Carries its filter, so that `totalCount` is only counted when someone asks. */
export interface IssueConnection extends Connection<IssueRow> {
  readonly filterValues: readonly unknown[]
}

/** What a list and its count have in common; the parameters are those of `toFilterValues`. */
const MATCHES_FILTER = `
        ($1::integer IS NULL OR project_id = $1)
        AND ($2::text IS NULL OR status = $2)
        AND ($3::integer IS NULL OR assignee_id = $3)
        AND ($4::integer IS NULL OR id IN (SELECT issue_id FROM issue_labels WHERE label_id = $4))
        AND ($5::text IS NULL OR title ILIKE $5)`

/** @throws TrackerError BAD_INPUT */
export async function listIssues(
  pool: Pool,
  filter: IssueFilter | null | undefined,
  pageArguments: PageArguments
): Promise<IssueConnection> {
  const page = readPage('issues', pageArguments)
  const filterValues = toFilterValues(filter ?? {})
  const { rows } = await pool.query<IssueRow>(
    `
      SELECT id, project_id AS "projectId", author_id AS "authorId", assignee_id AS "assigneeId",
             title, body, status, priority, created_at AS "createdAt", updated_at AS "updatedAt"
      FROM issues
      WHERE ${MATCHES_FILTER}
        AND ($6::integer IS NULL OR id < $6)
      ORDER BY id DESC
      LIMIT $7
    `,
    [...filterValues, page.after, page.limit]
  )
  return { ...toConnection(page, rows), filterValues }
}

export async function countIssues(pool: Pool, { filterValues }: IssueConnection): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `
      SELECT count(*)::integer AS count
      FROM issues
      WHERE ${MATCHES_FILTER}
    `,
    [...filterValues]
  )
  return rows[0]?.count ?? 0
}

/** In the order of the parameters $1 to $5. */
function toFilterValues({ projectId, status, assigneeId, labelId, search }: IssueFilter): unknown[] {
  return [
    parseFilterId(projectId),
    status ?? null,
    parseFilterId(assigneeId),
    parseFilterId(labelId),
    search === null || search === undefined ? null : toPattern(search)
  ]
}

function toPattern(search: string): string {
  const text = checkText('search', search, { min: 1, max: 100 })
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}
