import type { IResolvers, MercuriusLoaders } from 'mercurius'
import type { Pool } from 'pg'
import { createCommentFeed } from './comment-feed.js'
import { createCommentLoaders, createCommentResolvers } from './comments.js'
import { createIssueLoaders, createIssueResolvers } from './issues.js'
import { createLabelResolvers } from './labels.js'
import { createProjectResolvers } from './projects.js'
import { createSubscriptionResolvers, type Mask } from './subscriptions.js'
import { createUserResolvers } from './users.js'

/** Every resolver of the schema, gathered from the files that are named after its nouns. */
export function createResolvers(pool: Pool, mask: Mask): IResolvers {
  const feed = createCommentFeed()
  const comments = createCommentResolvers(pool, feed)
  const issues = createIssueResolvers(pool)
  const labels = createLabelResolvers(pool)
  const projects = createProjectResolvers(pool)
  const users = createUserResolvers(pool)
  return {
    DateTime: { serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value) },
    Query: { ...projects.Query, ...issues.Query, ...users.Query, ...labels.Query },
    Mutation: { ...issues.Mutation, ...comments.Mutation },
    ...createSubscriptionResolvers(pool, feed, mask),
    Project: projects.Project,
    IssueConnection: issues.IssueConnection,
    Issue: issues.Issue,
    Comment: comments.Comment,
    User: users.User
  }
}

export function createLoaders(pool: Pool): MercuriusLoaders {
  return { ...createIssueLoaders(pool), ...createCommentLoaders(pool) }
}
