import type { DocumentNode, Location, Token } from 'graphql'

/** The kinds of graphql-js are enums; importing them would load it before it can be instrumented. */
export function kindOf({ kind }: { readonly kind: string }): string {
  return kind
}

const literals = new Set<string>(['Int', 'Float', 'String', 'BlockString'])

/**
 * Where the parser found the document; undefined for one that did not come from it, such as a syntax tree that a client
 * sent as JSON: what stands there is the client's, and no text.
 */
export function textOf(document: DocumentNode): Location | undefined {
  const loc = document.loc as Location | string | number | boolean | null | undefined
  if (typeof loc !== 'object' || loc === null || Object.getPrototypeOf(loc) === Object.prototype) return undefined
  // Some libraries take the tokens away to save memory.
  return 'startToken' in loc ? loc : undefined
}

/** The text of the document, token by token, with every literal as `*`; empty where there is none. */
export function sourceOf(document: DocumentNode): string {
  const loc = textOf(document)
  const parts: string[] = []
  let line = 1
  for (let token: Token | null = loc?.startToken.next ?? null; token !== null; token = token.next) {
    const kind = kindOf(token)
    if (kind === '<EOF>') break
    // What a client writes there is as free as a literal.
    if (kind === 'Comment') continue
    if (token.line > line) {
      parts.push('\n'.repeat(token.line - line), ' '.repeat(token.column - 1))
      line = token.line
    } else {
      parts.push(' '.repeat(Math.max(0, token.start - (token.prev?.end ?? 0))))
    }
    const value = literals.has(kind) ? '*' : token.value || kind
    parts.push(kind === 'String' ? `"${value}"` : value)
  }
  return parts.join('')
}
