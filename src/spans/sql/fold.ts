import {
  CLOSE_BRACKET,
  CLOSE_PARENTHESIS,
  COMMA,
  MINUS,
  OPEN_BRACKET,
  OPEN_PARENTHESIS,
  PARAMETER,
  PLUS,
  SYMBOL,
  WORD,
  type TokenList,
  type TokenSink
} from './tokens.js'
import { Frames, LIST, PLAIN, ROWS, type Frame } from './frames.js'
import { createRenumbering } from './renumber.js'
import { haveSameShape, isConstantKind } from './shape.js'

/**
 * Fills a token list and, on the way, folds lists: of neighbours that differ only in their constants the first stays, so
 * lists of 3 and of 300 elements end as the same tokens. Folding from the inside out leaves a second pass nothing to do.
 */
export class Folder implements TokenSink {
  readonly #tokens: TokenList
  readonly #frames = new Frames()
  readonly #parameters = createRenumbering()
  #position = 0

  constructor(tokens: TokenList) {
    this.#tokens = tokens
  }

  /** The highest bind parameter of the text. */
  get parameters(): number {
    return this.#parameters.largest()
  }

  begin(text: string): void {
    this.#tokens.text = text
    this.#tokens.count = 0
    this.#parameters.reset()
    this.#position = 0
    this.#frames.reset()
  }

  push(kind: number, start: number, end: number): void {
    const gap = start > this.#position ? 1 : 0
    this.#position = end
    if (kind === SYMBOL) this.#symbol(start, end, gap)
    else if (kind === WORD) this.#word(start, end, gap)
    else this.#constant(kind, start, end, gap)
  }

  /** For a text that goes on: closes a list still open to what it has been folded to. Whether there was one. */
  closeList(): boolean {
    const frame = this.#frames.outermostFolded()
    if (frame) this.#tokens.count = frame.keptEnd
    return frame !== undefined
  }

  #symbol(start: number, end: number, gap: number): void {
    const tokens = this.#tokens
    const frame = this.#frames.top
    const code = tokens.text.charCodeAt(start)
    if (code === COMMA) {
      if (frame.mode === LIST) this.#fold(frame)
      tokens.add(SYMBOL, start, end, gap, 0)
      if (frame.mode === LIST) this.#startItem(frame)
    } else if (code === OPEN_PARENTHESIS || code === OPEN_BRACKET) {
      const list = tokens.isWord(tokens.count - 1, code === OPEN_BRACKET ? 'ARRAY' : 'IN')
      if (frame.mode === ROWS) this.#startItem(frame)
      tokens.add(SYMBOL, start, end, gap, 0)
      this.#startItem(this.#frames.open(list ? LIST : PLAIN, list || frame.listed || frame.mode !== PLAIN))
    } else if (code === CLOSE_PARENTHESIS || code === CLOSE_BRACKET) {
      if (frame.mode === LIST) this.#fold(frame)
      tokens.add(SYMBOL, start, end, gap, 0)
      this.#frames.close()
      if (this.#frames.top.mode === ROWS) this.#fold(this.#frames.top)
    } else {
      this.#leaveRows()
      tokens.add(SYMBOL, start, end, gap, 0)
    }
  }

  #word(start: number, end: number, gap: number): void {
    const tokens = this.#tokens
    const frame = this.#frames.top
    const index = tokens.count
    tokens.add(WORD, start, end, gap, 0)
    this.#leaveRows()
    if (tokens.isWord(index, 'VALUES')) {
      frame.mode = ROWS
      frame.keptEnd = 0
    } else if (frame.mode === LIST && index === frame.itemStart && startsQuery(tokens, index)) {
      // `IN (SELECT a, b ...)` holds a query, and its commas part columns.
      frame.mode = PLAIN
    }
  }

  #constant(kind: number, start: number, end: number, gap: number): void {
    const tokens = this.#tokens
    this.#leaveRows()
    const shown = kind === PARAMETER ? this.#parameters.see(Number(tokens.text.slice(start + 1, end))) : 0
    if (this.#frames.top.listed && isConstantKind(kind) && this.#followsSign()) {
      tokens.count--
      gap = tokens.gaps[tokens.count] ?? 0
    }
    tokens.add(kind, start, end, gap, shown)
  }

  /** Whether the last token is the sign of what comes next, rather than an operator between two operands. */
  #followsSign(): boolean {
    const sign = this.#tokens.symbol(this.#tokens.count - 1)
    if (sign !== MINUS && sign !== PLUS) return false
    const before = this.#tokens.symbol(this.#tokens.count - 2)
    return before === COMMA || before === OPEN_PARENTHESIS || before === OPEN_BRACKET
  }

  #leaveRows(): void {
    if (this.#frames.top.mode === ROWS) this.#frames.top.mode = PLAIN
  }

  #startItem(frame: Frame): void {
    frame.itemStart = this.#tokens.count
    frame.parametersBefore = this.#parameters.largest()
  }

  #fold(frame: Frame): void {
    if (frame.keptEnd > 0 && haveSameShape(this.#tokens, frame.keptStart, frame.keptEnd, frame.itemStart)) {
      this.#parameters.drop(frame.parametersBefore)
      this.#tokens.count = frame.keptEnd
    } else {
      frame.keptStart = frame.itemStart
      frame.keptEnd = this.#tokens.count
    }
  }
}

function startsQuery(tokens: TokenList, index: number): boolean {
  return tokens.isWord(index, 'SELECT') || tokens.isWord(index, 'WITH') || tokens.isWord(index, 'TABLE')
}
