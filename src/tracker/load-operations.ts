/** Ids that exist on the server under load. */
export interface KnownIds {
  readonly projects: readonly string[]
  readonly issues: readonly string[]
  readonly users: readonly string[]
  readonly labels: readonly string[]
}

export interface Operation {
  readonly operationName: string
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

interface Template {
  readonly operationName: string
  /** How many of a hundred requests, about. */
  readonly share: number
  readonly query: string
  readonly variables: (ids: KnownIds) => Readonly<Record<string, unknown>>
}

const searches = ['login', 'search', 'Safari', 'upgrade', 'cache', 'Speed up']
const statuses = ['OPEN', 'IN_PROGRESS', 'CLOSED']

/** What people do with a tracker: mostly lists and pages, now and then a change. */
const templates: readonly Template[] = [
  {
    operationName: 'IssueList',
    share: 28,
    query: `query IssueList($first: Int, $projectId: ID) {
      issues(filter: { projectId: $projectId }, first: $first) {
        edges { node { id title status priority author { name } assignee { name } labels { name color } } }
        pageInfo { hasNextPage endCursor }
      }
    }`,
    variables: ids => ({ first: 20, projectId: Math.random() < 0.5 ? pick(ids.projects) : null })
  },
  {
    operationName: 'IssuePage',
    share: 28,
    query: `query IssuePage($id: ID!) {
      issue(id: $id) {
        id title body status project { name } author { name } assignee { name } labels { name color }
        comments { id body createdAt author { name } }
      }
    }`,
    variables: ids => ({ id: pick(ids.issues) })
  },
  {
    operationName: 'FilteredIssues',
    share: 14,
    query: `query FilteredIssues($filter: IssueFilter!) {
      issues(filter: $filter, first: 10) { totalCount edges { node { id title commentCount } } }
    }`,
    variables: ids => ({ filter: pickFilter(ids) })
  },
  {
    operationName: 'Dashboard',
    share: 12,
    query: `query Dashboard {
      projects(first: 5) { edges { node { id key name statistics { openIssues closedIssues comments } } } }
      labels { id name color }
    }`,
    variables: () => ({})
  },
  {
    operationName: 'UserPage',
    share: 8,
    query: `query UserPage($id: ID!) {
      user(id: $id) {
        name
        assignedIssues(status: OPEN, first: 10) { totalCount edges { node { title project { name } } } }
        recentComments { body issue { title } }
      }
    }`,
    variables: ids => ({ id: pick(ids.users) })
  },
  {
    operationName: 'AddComment',
    share: 5,
    query: `mutation AddComment($input: AddCommentInput!) { addComment(input: $input) { id createdAt } }`,
    variables: ids => ({
      input: { issueId: pick(ids.issues), authorId: pick(ids.users), body: 'A remark under load.' }
    })
  },
  {
    operationName: 'UpdateIssue',
    share: 3,
    query: `mutation UpdateIssue($id: ID!, $input: UpdateIssueInput!) {
      updateIssue(id: $id, input: $input) { id status }
    }`,
    variables: ids => ({ id: pick(ids.issues), input: { status: pick(statuses), assigneeId: pick(ids.users) } })
  },
  {
    operationName: 'AddLabel',
    share: 1,
    query: `mutation AddLabel($issueId: ID!, $labelId: ID!) {
      addLabelToIssue(issueId: $issueId, labelId: $labelId) { id labels { name } }
    }`,
    variables: ids => ({ issueId: pick(ids.issues), labelId: pick(ids.labels) })
  },
  {
    operationName: 'CreateIssue',
    share: 1,
    query: `mutation CreateIssue($input: CreateIssueInput!) { createIssue(input: $input) { id } }`,
    variables: ids => ({
      input: { projectId: pick(ids.projects), authorId: pick(ids.users), title: 'Found under load', body: 'Details.' }
    })
  }
]

const deck = templates.flatMap(template => Array.from({ length: template.share }, () => template))

/** One operation of the mix, with ids that exist. */
export function pickOperation(ids: KnownIds): Operation {
  const { operationName, query, variables } = pick(deck)
  return { operationName, query, variables: variables(ids) }
}

function pickFilter(ids: KnownIds): Readonly<Record<string, unknown>> {
  const filters = [
    { projectId: pick(ids.projects), status: pick(statuses) },
    { labelId: pick(ids.labels) },
    { assigneeId: pick(ids.users) },
    { search: pick(searches) }
  ]
  return pick(filters)
}

function pick<Value>(values: readonly Value[]): Value {
  const value = values[Math.floor(Math.random() * values.length)]
  if (value === undefined) throw new RangeError('there is nothing to choose from')
  return value
}
