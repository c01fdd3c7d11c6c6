import { tableName } from './names.js'
import {
  CLOSE_BRACKET,
  CLOSE_PARENTHESIS,
  DOT,
  OPEN_BRACKET,
  OPEN_PARENTHESIS,
  QUOTED,
  SEMICOLON,
  WORD,
  type TokenList
} from './tokens.js'

/** A possibly qualified name and the token after it. */
export interface Name {
  readonly schema: string | null
  readonly relation: string
  readonly next: number
}

/** Random access to the tokens of one text for those who look for structure. */
export class TokenReader {
  readonly #tokens: TokenList
  readonly #closers: number[]

  constructor(tokens: TokenList) {
    this.#tokens = tokens
    this.#closers = matchBrackets(tokens)
  }

  /** The unquoted word at this token in upper case, '' for anything else and for the part of a name after a dot. */
  word(at: number): string {
    if (this.#tokens.kind(at) !== WORD || this.symbol(at - 1) === DOT) return ''
    return this.#tokens.source(at).toUpperCase()
  }

  symbol(at: number): number {
    return this.#tokens.symbol(at)
  }

  opens(at: number): boolean {
    return this.symbol(at) === OPEN_PARENTHESIS
  }

  /** The token after this one, or after the whole bracket that it opens. */
  after(at: number): number {
    return (this.#closers[at] ?? at) + 1
  }

  /** Whether the tokens of this bracket, statement or text end before this one. */
  ended(at: number): boolean {
    if (at >= this.#tokens.count) return true
    const symbol = this.symbol(at)
    return symbol === CLOSE_PARENTHESIS || symbol === CLOSE_BRACKET || symbol === SEMICOLON
  }

  /** From `at` on, over whole brackets, to the first of these words; -1 when there is none. */
  find(words: ReadonlySet<string>, at: number): number {
    for (let i = at; !this.ended(i); i = this.after(i)) if (words.has(this.word(i))) return i
    return -1
  }

  /** `schema.relation` or `relation`; a database before them is passed over. */
  name(at: number): Name | null {
    let schema: string | null = null
    let relation = this.#identifier(at)
    let next = at + 1
    while (relation !== '' && this.symbol(next) === DOT) {
      schema = relation
      relation = this.#identifier(next + 1)
      next += 2
    }
    return relation === '' ? null : { schema, relation, next }
  }

  table(at: number): string | null {
    const name = this.name(at)
    return name && tableName(name.schema, name.relation)
  }

  #identifier(at: number): string {
    const source = this.#tokens.source(at)
    if (this.#tokens.kind(at) === WORD) return source.replace(/[A-Z]+/g, letters => letters.toLowerCase())
    if (this.#tokens.kind(at) !== QUOTED) return ''
    return source.slice(source.indexOf('"') + 1, -1).replaceAll('""', '"')
  }
}

function matchBrackets(tokens: TokenList): number[] {
  const closers: number[] = []
  const open: number[] = []
  for (let i = 0; i < tokens.count; i++) {
    closers.push(i)
    const symbol = tokens.symbol(i)
    if (symbol === OPEN_PARENTHESIS || symbol === OPEN_BRACKET) open.push(i)
    else if (symbol === CLOSE_PARENTHESIS || symbol === CLOSE_BRACKET) closers[open.pop() ?? i] = i
  }
  for (const at of open) closers[at] = tokens.count
  return closers
}
