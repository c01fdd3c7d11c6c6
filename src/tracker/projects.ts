import type { Pool } from 'pg'
import { readPage, toConnection, type Connection, type PageArguments } from './connection.js'
import { parseId } from './input.js'
import { listIssues, type IssueConnection, type IssuePageArguments } from './issue-list.js'

export interface ProjectRow {
  readonly id: number
  readonly key: string
  readonly name: string
  readonly description: string
  readonly createdAt: Date
}

interface ProjectStatistics {
  readonly openIssues: number
  readonly issuesInProgress: number
  readonly closedIssues: number
  readonly comments: number
  readonly lastActivity: Date | null
}

export function createProjectResolvers(pool: Pool) {
  return {
    Query: {
      project: (_: unknown, { id }: { id: string }) => findProject(pool, parseId(id)),
      projects: (_: unknown, page: PageArguments) => listProjects(pool, page)
    },
    Project: {
      issues: (project: ProjectRow, { status, ...page }: IssuePageArguments): Promise<IssueConnection> =>
        listIssues(pool, { projectId: String(project.id), status: status ?? null }, page),
      // Cached: see cache.ts.
      statistics: (project: ProjectRow) => countStatistics(pool, project)
    }
  }
}

export async function findProject(pool: Pool, id: number | null): Promise<ProjectRow | null> {
  if (id === null) return null
  return (await findProjects(pool, [id])).get(id) ?? null
}

export async function findProjects(pool: Pool, ids: readonly number[]): Promise<Map<number, ProjectRow>> {
  const { rows } = await pool.query<ProjectRow>(
    `
      SELECT id, key, name, description, created_at AS "createdAt"
      FROM projects
      WHERE id = ANY ($1::integer[])
    `,
    [ids]
  )
  return new Map(rows.map(project => [project.id, project]))
}

async function listProjects(pool: Pool, pageArguments: PageArguments): Promise<Connection<ProjectRow>> {
  const page = readPage('projects', pageArguments)
  const { rows } = await pool.query<ProjectRow>(
    `
      SELECT id, key, name, description, created_at AS "createdAt"
      FROM projects
      WHERE $1::integer IS NULL OR id > $1
      ORDER BY id
      LIMIT $2
    `,
    [page.after, page.limit]
  )
  return toConnection(page, rows)
}

async function countStatistics(pool: Pool, project: ProjectRow): Promise<ProjectStatistics | undefined> {
  const { rows } = await pool.query<ProjectStatistics>(
    `
      SELECT count(*) FILTER (WHERE status = 'OPEN')::integer AS "openIssues",
             count(*) FILTER (WHERE status = 'IN_PROGRESS')::integer AS "issuesInProgress",
             count(*) FILTER (WHERE status = 'CLOSED')::integer AS "closedIssues",
             COALESCE(sum(commented.count), 0)::integer AS comments,
             greatest(max(issues.updated_at), max(commented.latest)) AS "lastActivity"
      FROM issues
      LEFT JOIN LATERAL (
        SELECT count(*) AS count, max(created_at) AS latest
        FROM comments
        WHERE issue_id = issues.id
      ) AS commented ON true
      WHERE project_id = $1
    `,
    [project.id]
  )
  return rows[0]
}
