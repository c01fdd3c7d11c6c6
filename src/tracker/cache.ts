import type { FastifyInstance } from 'fastify'
import { Kind, type GraphQLResolveInfo, type SelectionNode } from 'graphql'
import mercuriusCache from 'mercurius-cache'
import { trackedCache } from 'mercurius-performance'

const STATISTICS_SECONDS = 5
const LABELS_SECONDS = 60

/** Caches the two fields that are dear and may be a little old. Register it after every other plugin of the schema. */
export async function registerCache(app: FastifyInstance): Promise<void> {
  await app.register(trackedCache(mercuriusCache.default), {
    skip: hasNestedInlineFragments,
    storage: { type: 'memory', options: { size: 1_000, log: app.log } },
    policy: {
      // The whole object is cached whatever was selected of it, so neither the selection nor the parent's other columns
      // belong into the key.
      Project: { statistics: { ttl: STATISTICS_SECONDS, key: projectKey } },
      Query: { labels: { ttl: LABELS_SECONDS, key: () => 'all' } }
    }
  })
}

function projectKey({ self }: { self: { id: number } }): string {
  return String(self.id)
}

/** mercurius-cache fails to read one inline fragment inside another, and would answer null instead of asking. */
function hasNestedInlineFragments(_self: unknown, _arguments: unknown, _context: unknown, info: GraphQLResolveInfo) {
  const inlineSelections = (selections: readonly SelectionNode[]): readonly SelectionNode[] =>
    selections.flatMap(selection => (selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet.selections : []))
  const selections = info.fieldNodes.flatMap(node => node.selectionSet?.selections ?? [])
  return inlineSelections(inlineSelections(selections)).length > 0
}
