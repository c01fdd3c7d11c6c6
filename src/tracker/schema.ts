/** Connections run newest first where that matters (issues), in order of creation elsewhere. Cursors are opaque. */
export const schema = `
  "An ISO 8601 instant in UTC."
  scalar DateTime

  enum IssueStatus { OPEN IN_PROGRESS CLOSED }
  enum IssuePriority { LOW NORMAL HIGH URGENT }

  type Query {
    project(id: ID!): Project
    projects(first: Int = 20, after: String): ProjectConnection!
    issue(id: ID!): Issue
    issues(filter: IssueFilter, first: Int = 20, after: String): IssueConnection!
    user(id: ID!): User
    users(first: Int = 20, after: String): UserConnection!
    labels: [Label!]!
  }

  type Mutation {
    createIssue(input: CreateIssueInput!): Issue!
    "Changes the fields that are given; an assigneeId of null takes the assignee away."
    updateIssue(id: ID!, input: UpdateIssueInput!): Issue!
    addComment(input: AddCommentInput!): Comment!
    "Adding a label twice does no harm."
    addLabelToIssue(issueId: ID!, labelId: ID!): Issue!
  }

  type Subscription {
    "What is added through the same process of the Tracker."
    commentAdded(issueId: ID!): Comment!
  }

  input IssueFilter {
    projectId: ID
    status: IssueStatus
    assigneeId: ID
    labelId: ID
    "Text that the title contains, in upper or lower case; 1 to 100 characters."
    search: String
  }

  input CreateIssueInput {
    projectId: ID!
    authorId: ID!
    assigneeId: ID
    title: String!
    body: String = ""
    priority: IssuePriority = NORMAL
  }

  input UpdateIssueInput {
    title: String
    body: String
    status: IssueStatus
    priority: IssuePriority
    assigneeId: ID
  }

  input AddCommentInput {
    issueId: ID!
    authorId: ID!
    body: String!
  }

  type Project {
    id: ID!
    key: String!
    name: String!
    description: String!
    createdAt: DateTime!
    issues(status: IssueStatus, first: Int = 20, after: String): IssueConnection!
    statistics: ProjectStatistics!
  }

  "Up to five seconds old."
  type ProjectStatistics {
    openIssues: Int!
    issuesInProgress: Int!
    closedIssues: Int!
    comments: Int!
    lastActivity: DateTime
  }

  type Issue {
    id: ID!
    title: String!
    body: String!
    status: IssueStatus!
    priority: IssuePriority!
    createdAt: DateTime!
    updatedAt: DateTime!
    project: Project!
    author: User!
    assignee: User
    labels: [Label!]!
    "Oldest first; after the comment with that id, if one is given."
    comments(first: Int = 20, after: ID): [Comment!]!
    commentCount: Int!
  }

  type Comment {
    id: ID!
    body: String!
    createdAt: DateTime!
    author: User!
    issue: Issue!
  }

  type User {
    id: ID!
    username: String!
    name: String!
    createdAt: DateTime!
    assignedIssues(status: IssueStatus, first: Int = 20, after: String): IssueConnection!
    "Newest first."
    recentComments(first: Int = 5): [Comment!]!
  }

  type Label {
    id: ID!
    name: String!
    color: String!
  }

  type PageInfo {
    hasNextPage: Boolean!
    endCursor: String
  }

  type ProjectConnection { edges: [ProjectEdge!]! pageInfo: PageInfo! }
  type ProjectEdge { cursor: String! node: Project! }

  type IssueConnection { edges: [IssueEdge!]! pageInfo: PageInfo! totalCount: Int! }
  type IssueEdge { cursor: String! node: Issue! }

  type UserConnection { edges: [UserEdge!]! pageInfo: PageInfo! }
  type UserEdge { cursor: String! node: User! }
`
