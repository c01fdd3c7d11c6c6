import { badInput } from './errors.js'
import { checkPageSize, parseId } from './input.js'

export interface PageArguments {
  readonly first?: number | null
  readonly after?: string | null
}

/** Which rows a page takes: `limit` of them, beyond the row with the id `after`. */
export interface Page {
  readonly kind: string
  readonly size: number
  /** One more than the page holds, to learn whether another follows. */
  readonly limit: number
  readonly after: number | null
}

export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

const DEFAULT_SIZE = 20

/** @throws TrackerError BAD_INPUT for a page size or cursor that this list did not give out */
export function readPage(kind: string, { first, after }: PageArguments): Page {
  const size = checkPageSize(first, DEFAULT_SIZE)
  return { kind, size, limit: size + 1, after: after === null || after === undefined ? null : readCursor(kind, after) }
}

export function toConnection<Node extends { readonly id: number }>(
  { kind, size }: Page,
  rows: readonly Node[]
): Connection<Node> {
  const edges = rows.slice(0, size).map(node => ({ cursor: writeCursor(kind, node.id), node }))
  return { edges, pageInfo: { hasNextPage: rows.length > size, endCursor: edges.at(-1)?.cursor ?? null } }
}

function writeCursor(kind: string, id: number): string {
  return Buffer.from(`${kind}:${id}`).toString('base64url')
}

function readCursor(kind: string, cursor: string): number {
  const [seenKind, id = ''] = Buffer.from(cursor, 'base64url').toString().split(':')
  const position = parseId(id)
  // Decoding skips what is not base64, so only writing it again shows that nothing was skipped.
  if (seenKind !== kind || position === null || writeCursor(kind, position) !== cursor) {
    throw badInput(`after is not a cursor of ${kind}: expected the endCursor of the page before`)
  }
  return position
}
