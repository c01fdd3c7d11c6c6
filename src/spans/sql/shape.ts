import { LITERAL, PARAMETER, PLACEHOLDER, WORD, type TokenList } from './tokens.js'

/** Compares the kept tokens with those from `other` to the last: equal but for white space and constants. */
export function haveSameShape(tokens: TokenList, start: number, end: number, other: number): boolean {
  const length = end - start
  if (tokens.count - other !== length) return false
  for (let i = 0; i < length; i++) {
    const constant = isConstant(tokens, start + i)
    if (constant !== isConstant(tokens, other + i)) return false
    if (!constant && !areEqual(tokens, start + i, other + i)) return false
  }
  return true
}

export function isConstantKind(kind: number): boolean {
  return kind === LITERAL || kind === PLACEHOLDER || kind === PARAMETER
}

function isConstant(tokens: TokenList, index: number): boolean {
  const kind = tokens.kind(index)
  return isConstantKind(kind) || (kind === WORD && constantWords.some(word => tokens.isWord(index, word)))
}

const constantWords = ['NULL', 'TRUE', 'FALSE', 'DEFAULT']

function areEqual(tokens: TokenList, a: number, b: number): boolean {
  const start = tokens.start(a)
  const other = tokens.start(b)
  const length = tokens.end(a) - start
  if (tokens.kind(a) !== tokens.kind(b) || tokens.end(b) - other !== length) return false
  for (let i = 0; i < length; i++) {
    if (tokens.text.charCodeAt(start + i) !== tokens.text.charCodeAt(other + i)) return false
  }
  return true
}
