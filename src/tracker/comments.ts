import type { Pool } from 'pg'
import type { CommentFeed } from './comment-feed.js'
import { checkText } from './input.js'
import { findIssues, unique } from './issues.js'
import { requireId, required, withKnownReferences } from './issue-mutations.js'
import type { IssueRow } from './issue-list.js'
import { findUser } from './users.js'

export interface CommentRow {
  readonly id: number
  readonly issueId: number
  readonly authorId: number
  readonly body: string
  readonly createdAt: Date
}

interface AddCommentInput {
  readonly issueId: string
  readonly authorId: string
  readonly body: string
}

export function createCommentResolvers(pool: Pool, feed: CommentFeed) {
  return {
    Mutation: {
      addComment: async (_: unknown, { input }: { input: AddCommentInput }) => {
        const comment = await addComment(pool, input)
        feed.publish(comment)
        return comment
      }
    },
    Comment: {
      // Asks once a comment: the N+1 problem again, one level down.
      author: (comment: CommentRow) => findUser(pool, comment.authorId)
    }
  }
}

export function createCommentLoaders(pool: Pool) {
  return {
    Comment: {
      issue: async (batch: readonly { readonly obj: CommentRow }[]): Promise<(IssueRow | null)[]> => {
        const issues = await findIssues(pool, unique(batch.map(({ obj }) => obj.issueId)))
        return batch.map(({ obj }) => issues.get(obj.issueId) ?? null)
      }
    }
  }
}

/** One statement, so that the issue is not marked as updated by a comment that was refused. */
async function addComment(pool: Pool, input: AddCommentInput): Promise<CommentRow> {
  const values = [
    requireId('issue', input.issueId),
    requireId('user', input.authorId),
    checkText('body', input.body, { min: 1, max: 10_000 })
  ]
  return withKnownReferences(async () => {
    const { rows } = await pool.query<CommentRow>(
      `
        WITH updated AS (
          UPDATE issues
          SET updated_at = now()
          WHERE id = $1
        )
        INSERT INTO comments (issue_id, author_id, body)
        VALUES ($1, $2, $3)
        RETURNING id, issue_id AS "issueId", author_id AS "authorId", body, created_at AS "createdAt"
      `,
      values
    )
    return required('comment', rows[0])
  })
}
