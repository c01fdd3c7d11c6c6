import { DatabaseError, type Pool } from 'pg'
import { notFound } from './errors.js'
import { checkText, parseId } from './input.js'
import type { IssuePriority, IssueRow, IssueStatus } from './issue-list.js'

export interface CreateIssueInput {
  readonly projectId: string
  readonly authorId: string
  readonly assigneeId?: string | null
  readonly title: string
  readonly body?: string | null
  readonly priority?: IssuePriority | null
}

export interface UpdateIssueInput {
  readonly title?: string | null
  readonly body?: string | null
  readonly status?: IssueStatus | null
  readonly priority?: IssuePriority | null
  readonly assigneeId?: string | null
}

export function createIssueMutations(pool: Pool) {
  return {
    createIssue: (_: unknown, { input }: { input: CreateIssueInput }) => createIssue(pool, input),
    updateIssue: (_: unknown, { id, input }: { id: string; input: UpdateIssueInput }) => updateIssue(pool, id, input),
    addLabelToIssue: (_: unknown, { issueId, labelId }: { issueId: string; labelId: string }) =>
      addLabelToIssue(pool, issueId, labelId)
  }
}

const titleLength = { min: 1, max: 200 }
const bodyLength = { min: 0, max: 10_000 }

async function createIssue(pool: Pool, input: CreateIssueInput): Promise<IssueRow> {
  const values = [
    requireId('project', input.projectId),
    requireId('user', input.authorId),
    optionalId('user', input.assigneeId),
    checkText('title', input.title, titleLength),
    checkText('body', input.body ?? '', bodyLength),
    input.priority ?? 'NORMAL'
  ]
  return withKnownReferences(async () => {
    const { rows } = await pool.query<IssueRow>(
      `
        INSERT INTO issues (project_id, author_id, assignee_id, title, body, priority)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id, project_id AS "projectId", author_id AS "authorId", assignee_id AS "assigneeId",
                  title, body, status, priority, created_at AS "createdAt", updated_at AS "updatedAt"
      `,
      values
    )
    return required('issue', rows[0])
  })
}

async function updateIssue(pool: Pool, id: string, input: UpdateIssueInput): Promise<IssueRow> {
  const values = [
    requireId('issue', id),
    input.title === undefined || input.title === null ? null : checkText('title', input.title, titleLength),
    input.body === undefined || input.body === null ? null : checkText('body', input.body, bodyLength),
    input.status ?? null,
    input.priority ?? null,
    input.assigneeId !== undefined,
    optionalId('user', input.assigneeId)
  ]
  return withKnownReferences(async () => {
    const { rows } = await pool.query<IssueRow>(
      `
        UPDATE issues
        SET title = COALESCE($2, title),
            body = COALESCE($3, body),
            status = COALESCE($4, status),
            priority = COALESCE($5, priority),
            assignee_id = CASE WHEN $6::boolean THEN $7 ELSE assignee_id END,
            updated_at = now()
        WHERE id = $1
        RETURNING id, project_id AS "projectId", author_id AS "authorId", assignee_id AS "assigneeId",
                  title, body, status, priority, created_at AS "createdAt", updated_at AS "updatedAt"
      `,
      values
    )
    return required('issue', rows[0])
  })
}

async function addLabelToIssue(pool: Pool, issueId: string, labelId: string): Promise<IssueRow> {
  const values = [requireId('issue', issueId), requireId('label', labelId)]
  return withKnownReferences(async () => {
    await pool.query(
      `
        INSERT INTO issue_labels (issue_id, label_id)
        VALUES ($1, $2)
        ON CONFLICT DO NOTHING
      `,
      values
    )
    const { rows } = await pool.query<IssueRow>(
      `
        UPDATE issues
        SET updated_at = now()
        WHERE id = $1
        RETURNING id, project_id AS "projectId", author_id AS "authorId", assignee_id AS "assigneeId",
                  title, body, status, priority, created_at AS "createdAt", updated_at AS "updatedAt"
      `,
      values.slice(0, 1)
    )
    return required('issue', rows[0])
  })
}

const FOREIGN_KEY_VIOLATION = '23503'

/** Says which noun does not exist where Postgres refuses a reference. */
export async function withKnownReferences<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== FOREIGN_KEY_VIOLATION) throw error
    const column = /_(issue|project|label|author|assignee)_id_fkey$/.exec(error.constraint ?? '')?.[1]
    throw notFound(column === undefined || column === 'author' || column === 'assignee' ? 'user' : column)
  }
}

/** @throws TrackerError NOT_FOUND */
export function requireId(noun: string, id: string): number {
  return required(noun, parseId(id))
}

function optionalId(noun: string, id: string | null | undefined): number | null {
  return id === null || id === undefined ? null : requireId(noun, id)
}

export function required<Value>(noun: string, value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw notFound(noun)
  return value
}
