// libpg-query's parse tree is plain JSON. Nothing here trusts its shape: what is not there is undefined.

/** A node is an object with one key, its type. */
export function unwrap(node: unknown): { type: string; body: unknown } {
  const [type, body] = typeof node === 'object' && node !== null ? (Object.entries(node)[0] ?? []) : []
  return { type: type ?? '', body }
}

export function child(node: unknown, key: string): unknown {
  return typeof node === 'object' && node !== null ? (node as Partial<Record<string, unknown>>)[key] : undefined
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function first(value: unknown): unknown {
  return list(value)[0]
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
