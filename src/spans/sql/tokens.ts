export const WORD = 1
export const QUOTED = 2
export const LITERAL = 3
export const PLACEHOLDER = 4
export const PARAMETER = 5
export const SYMBOL = 6

export const OPEN_PARENTHESIS = 40
export const CLOSE_PARENTHESIS = 41
export const PLUS = 43
export const COMMA = 44
export const MINUS = 45
export const DOT = 46
export const SEMICOLON = 59
export const OPEN_BRACKET = 91
export const CLOSE_BRACKET = 93

/** What the lexer hands each token to. A `LITERAL` may hide anything, also a whole broken tail; a `SYMBOL` is one character. */
export interface TokenSink {
  push(kind: number, start: number, end: number): void
}

/**
 * The tokens of one text, as columns: no object per token, and the columns are used again for the next text.
 * Positions are UTF-16 units of `text`.
 */
export class TokenList {
  text = ''
  count = 0
  readonly kinds: number[] = []
  readonly starts: number[] = []
  readonly ends: number[] = []
  /** 1 where white space or a comment stands before the token. */
  readonly gaps: number[] = []
  /** The number a parameter is shown with when a folded list before it has moved it, else 0. */
  readonly renumbered: number[] = []

  add(kind: number, start: number, end: number, gap: number, renumbered: number): void {
    const index = this.count++
    this.kinds[index] = kind
    this.starts[index] = start
    this.ends[index] = end
    this.gaps[index] = gap
    this.renumbered[index] = renumbered
  }

  /** Forgets what comes after the first token of this kind. */
  cutAfterFirst(kind: number): void {
    const first = this.kinds.indexOf(kind)
    if (first >= 0 && first < this.count) this.count = first + 1
  }

  kind(index: number): number {
    return index >= 0 && index < this.count ? (this.kinds[index] ?? 0) : 0
  }

  start(index: number): number {
    return this.starts[index] ?? 0
  }

  end(index: number): number {
    return this.ends[index] ?? 0
  }

  source(index: number): string {
    return this.text.slice(this.start(index), this.end(index))
  }

  /** The character code of a symbol, 0 for any other token. */
  symbol(index: number): number {
    return this.kind(index) === SYMBOL ? this.text.charCodeAt(this.start(index)) : 0
  }

  /** Whether the token is this keyword, given in upper case. ASCII letters differ from their upper case in one bit. */
  isWord(index: number, keyword: string): boolean {
    if (this.kind(index) !== WORD) return false
    const start = this.start(index)
    if (this.end(index) - start !== keyword.length) return false
    for (let i = 0; i < keyword.length; i++) {
      if ((this.text.charCodeAt(start + i) & ~32) !== keyword.charCodeAt(i)) return false
    }
    return true
  }
}
