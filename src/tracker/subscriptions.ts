import type { MercuriusContext } from 'mercurius'
import type { Pool } from 'pg'
import type { CommentFeed } from './comment-feed.js'
import { requireId, required } from './issue-mutations.js'
import { findIssue } from './issues.js'

/** Tells an error of the Tracker's own from a fault, and hides the fault. */
export type Mask = (error: unknown, path: readonly string[]) => Error

export function createSubscriptionResolvers(pool: Pool, feed: CommentFeed, mask: Mask) {
  return {
    Subscription: {
      commentAdded: {
        // Mercurius logs and sends what a subscribe function throws as it is, so faults are masked here already.
        subscribe: async (_: unknown, { issueId }: { issueId: string }, { pubsub }: MercuriusContext) => {
          try {
            const issue = required('issue', await findIssue(pool, requireId('issue', issueId)))
            const comments = feed.subscribe(issue.id)
            // Stopped while the issue was looked for: Mercurius knew nothing yet that it could have ended.
            if (pubsub.closed) await comments.return?.()
            return comments
          } catch (error) {
            throw mask(error, ['commentAdded'])
          }
        }
      }
    }
  }
}
