import type { KnownIds } from './load-operations.js'
import { StartError } from './settings.js'

const TIMEOUT_MILLISECONDS = 5_000

interface Edges {
  readonly edges: readonly { readonly node: { readonly id: string } }[]
}

interface Lists {
  readonly projects: Edges
  readonly issues: Edges
  readonly users: Edges
  readonly labels: readonly { readonly id: string }[]
}

const QUERY = `query LoadIds {
  projects(first: 100) { edges { node { id } } }
  issues(first: 100) { edges { node { id } } }
  users(first: 100) { edges { node { id } } }
  labels { id }
}`

/**
 * Asks the server which ids exist.
 *
 * @throws StartError where it cannot be reached, is no Tracker, or has no data
 */
export async function fetchKnownIds(url: string): Promise<KnownIds> {
  const lists = await fetchLists(url)
  const ids = {
    projects: toIds(lists.projects),
    issues: toIds(lists.issues),
    users: toIds(lists.users),
    labels: lists.labels.map(({ id }) => id)
  }
  if (Object.values(ids).some(known => known.length === 0))
    throw new StartError(`the Tracker at ${url} has no data yet`)
  return ids
}

async function fetchLists(url: string): Promise<Lists> {
  const response = await post(url)
  const answer = (await response.json().catch(() => null)) as { data?: Lists | null } | null
  if (answer?.data) return answer.data
  throw new StartError(
    `--url is ${JSON.stringify(url)}: what answers there (HTTP ${response.status}) is not a Tracker API`
  )
}

async function post(url: string): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY }),
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS)
    })
  } catch {
    throw new StartError(`--url is ${JSON.stringify(url)}: nothing answers there; start the Tracker first: npm start`)
  }
}

function toIds({ edges }: Edges): string[] {
  return edges.map(({ node }) => node.id)
}
