import type { Pool } from 'pg'
import type { CommentRow } from './comments.js'
import type { PageArguments } from './connection.js'
import { badInput } from './errors.js'
import { checkPageSize, parseId } from './input.js'
import { countIssues, listIssues, type IssueConnection, type IssueFilter, type IssueRow } from './issue-list.js'
import { createIssueMutations } from './issue-mutations.js'
import type { LabelRow } from './labels.js'
import { findProjects, type ProjectRow } from './projects.js'
import { findUsers, type UserRow } from './users.js'

interface CommentPage {
  readonly first?: number | null
  readonly after?: string | null
}

type Batch = readonly { readonly obj: IssueRow }[]

export function createIssueResolvers(pool: Pool) {
  return {
    Query: {
      issue: (_: unknown, { id }: { id: string }) => findIssue(pool, parseId(id)),
      issues: (_: unknown, { filter, ...page }: PageArguments & { filter?: IssueFilter | null }) =>
        listIssues(pool, filter, page)
    },
    Mutation: createIssueMutations(pool),
    IssueConnection: {
      totalCount: (connection: IssueConnection) => countIssues(pool, connection)
    },
    Issue: {
      // These two ask once an issue: on a list of issues they are the N+1 problem, as many an API has it.
      comments: (issue: IssueRow, page: CommentPage) => listComments(pool, issue, page),
      commentCount: (issue: IssueRow) => countComments(pool, issue)
    }
  }
}

/** Fields that ask once for all the issues of a request. */
export function createIssueLoaders(pool: Pool) {
  return {
    Issue: {
      project: async (batch: Batch): Promise<(ProjectRow | null)[]> => {
        const projects = await findProjects(pool, unique(batch.map(({ obj }) => obj.projectId)))
        return batch.map(({ obj }) => projects.get(obj.projectId) ?? null)
      },
      author: async (batch: Batch): Promise<(UserRow | null)[]> => {
        const users = await findUsers(pool, unique(batch.map(({ obj }) => obj.authorId)))
        return batch.map(({ obj }) => users.get(obj.authorId) ?? null)
      },
      assignee: async (batch: Batch): Promise<(UserRow | null)[]> => {
        const ids = batch.flatMap(({ obj }) => obj.assigneeId ?? [])
        const users = ids.length === 0 ? new Map<number, UserRow>() : await findUsers(pool, unique(ids))
        return batch.map(({ obj }) => (obj.assigneeId === null ? null : (users.get(obj.assigneeId) ?? null)))
      },
      labels: async (batch: Batch): Promise<LabelRow[][]> => {
        const labels = await listLabels(pool, unique(batch.map(({ obj }) => obj.id)))
        return batch.map(({ obj }) => labels.filter(label => label.issueId === obj.id))
      }
    }
  }
}

export async function findIssue(pool: Pool, id: number | null): Promise<IssueRow | null> {
  if (id === null) return null
  return (await findIssues(pool, [id])).get(id) ?? null
}

export async function findIssues(pool: Pool, ids: readonly number[]): Promise<Map<number, IssueRow>> {
  const { rows } = await pool.query<IssueRow>(
    `
      SELECT id, project_id AS "projectId", author_id AS "authorId", assignee_id AS "assigneeId",
             title, body, status, priority, created_at AS "createdAt", updated_at AS "updatedAt"
      FROM issues
      WHERE id = ANY ($1::integer[])
    `,
    [ids]
  )
  return new Map(rows.map(issue => [issue.id, issue]))
}

async function listComments(pool: Pool, issue: IssueRow, { first, after }: CommentPage): Promise<CommentRow[]> {
  const { rows } = await pool.query<CommentRow>(
    `
      SELECT id, issue_id AS "issueId", author_id AS "authorId", body, created_at AS "createdAt"
      FROM comments
      WHERE issue_id = $1 AND ($3::integer IS NULL OR id > $3)
      ORDER BY id
      LIMIT $2
    `,
    [issue.id, checkPageSize(first, 20), readAfter(after)]
  )
  return rows
}

/** @throws TrackerError BAD_INPUT for what cannot be an id, where silence would begin again at the first */
function readAfter(after: string | null | undefined): number | null {
  if (after === null || after === undefined) return null
  const id = parseId(after)
  if (id === null) throw badInput('after is not the id of a comment: expected that of the last one seen')
  return id
}

async function countComments(pool: Pool, issue: IssueRow): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `
      SELECT count(*)::integer AS count
      FROM comments
      WHERE issue_id = $1
    `,
    [issue.id]
  )
  return rows[0]?.count ?? 0
}

async function listLabels(pool: Pool, issueIds: readonly number[]): Promise<(LabelRow & { issueId: number })[]> {
  const { rows } = await pool.query<LabelRow & { issueId: number }>(
    `
      SELECT issue_labels.issue_id AS "issueId", labels.id, labels.name, labels.color
      FROM issue_labels
      JOIN labels ON labels.id = issue_labels.label_id
      WHERE issue_labels.issue_id = ANY ($1::integer[])
      ORDER BY labels.name
    `,
    [issueIds]
  )
  return rows
}

export function unique(ids: readonly number[]): number[] {
  return [...new Set(ids)]
}
