import type { Pool } from 'pg'
import type { CommentRow } from './comments.js'
import { readPage, toConnection, type Connection, type PageArguments } from './connection.js'
import { checkPageSize, parseId } from './input.js'
import { listIssues, type IssueConnection, type IssuePageArguments } from './issue-list.js'

export interface UserRow {
  readonly id: number
  readonly username: string
  readonly name: string
  readonly createdAt: Date
}

export function createUserResolvers(pool: Pool) {
  return {
    Query: {
      user: (_: unknown, { id }: { id: string }) => findUser(pool, parseId(id)),
      users: (_: unknown, page: PageArguments) => listUsers(pool, page)
    },
    User: {
      assignedIssues: (user: UserRow, { status, ...page }: IssuePageArguments): Promise<IssueConnection> =>
        listIssues(pool, { assigneeId: String(user.id), status: status ?? null }, page),
      recentComments: (user: UserRow, { first }: { first?: number | null }) => listCommentsBy(pool, user, first)
    }
  }
}

export async function findUser(pool: Pool, id: number | null): Promise<UserRow | null> {
  if (id === null) return null
  const { rows } = await pool.query<UserRow>(
    `
      SELECT id, username, name, created_at AS "createdAt"
      FROM users
      WHERE id = $1
    `,
    [id]
  )
  return rows[0] ?? null
}

/** The users with these ids, in no particular order. */
export async function findUsers(pool: Pool, ids: readonly number[]): Promise<Map<number, UserRow>> {
  const { rows } = await pool.query<UserRow>(
    `
      SELECT id, username, name, created_at AS "createdAt"
      FROM users
      WHERE id = ANY ($1::integer[])
    `,
    [ids]
  )
  return new Map(rows.map(user => [user.id, user]))
}

async function listUsers(pool: Pool, pageArguments: PageArguments): Promise<Connection<UserRow>> {
  const page = readPage('users', pageArguments)
  const { rows } = await pool.query<UserRow>(
    `
      SELECT id, username, name, created_at AS "createdAt"
      FROM users
      WHERE $1::integer IS NULL OR id > $1
      ORDER BY id
      LIMIT $2
    `,
    [page.after, page.limit]
  )
  return toConnection(page, rows)
}

async function listCommentsBy(pool: Pool, user: UserRow, first?: number | null): Promise<CommentRow[]> {
  const { rows } = await pool.query<CommentRow>(
    `
      SELECT id, issue_id AS "issueId", author_id AS "authorId", body, created_at AS "createdAt"
      FROM comments
      WHERE author_id = $1
      ORDER BY created_at DESC, id DESC
      LIMIT $2
    `,
    [user.id, checkPageSize(first, 5)]
  )
  return rows
}
