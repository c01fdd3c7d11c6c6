import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { describeTokens } from './fallback.js'
import { Folder } from './fold.js'
import { lex } from './lexer.js'
import { goesOnAfterRows, SCAN_LIMIT } from './long-text.js'
import { highestParameter } from './parameters.js'
import { createParser, monotonicMilliseconds } from './parser.js'
import { cut, detach, render } from './render.js'
import type { SqlText, Statement } from './statement.js'
import { LITERAL, TokenList } from './tokens.js'

export interface SqlAnalyzer {
  /** Never throws, whatever the text. */
  readonly read: (text: string) => SqlText
  readonly analyze: (text: string) => Statement
  /** Settles, and never rejects, when the parser has been loaded or given up. */
  readonly ready: Promise<void>
  readonly parserLoaded: boolean
}

export interface SqlAnalyzerOptions {
  /** Texts remembered, and as many normalised ones. Default 1,000. */
  readonly cacheSize?: number
  /** Texts given to PostgreSQL's parser per second; the others are described from their tokens. Default 100. */
  readonly parsesPerSecond?: number
  /** A monotonic clock in milliseconds. Default performance.now. */
  readonly now?: () => number
}

const defaults = { cacheSize: 1000, parsesPerSecond: 100, now: monotonicMilliseconds } satisfies SqlAnalyzerOptions

const TEXT_LIMIT = 1024
const REMEMBER_LIMIT = 16 * 1024
const REMEMBERED_TOTAL = 4 * 1024 * 1024
const PARSE_LIMIT = 16 * 1024
// The parser recurses on its WASM stack, and long chains of operators, unions or brackets outgrow it.
const PARSE_TOKENS = 1000

/** What one normalised text is known as. Texts share it, so that what the parser says later reaches all of them. */
interface Entry {
  statement: Statement
  /** Whether the parser has had its say, or never will. */
  settled: boolean
}

/** A text that was seen before. Texts that differ only in their constants and lists share an entry. */
class KnownText implements SqlText {
  readonly entry: Entry
  readonly parameters: number

  constructor(entry: Entry, parameters: number) {
    this.entry = entry
    this.parameters = parameters
  }

  get statement(): Statement {
    return this.entry.statement
  }
}

/** Literals never leave this function, except as keys of the bounded map that recognises a text seen before. */
export function createSqlAnalyzer(options: SqlAnalyzerOptions = {}): SqlAnalyzer {
  const { cacheSize, parsesPerSecond, now } = { ...defaults, ...options }
  const parser = createParser({ parsesPerSecond, now })
  const tokens = new TokenList()
  const folder = new Folder(tokens)
  const byText = new LRUCache<string, KnownText>({
    max: cacheSize,
    maxSize: REMEMBERED_TOTAL,
    sizeCalculation: (_entry, text) => text.length + 1
  })
  const byNormalisedText = new LRUCache<string, Entry>({ max: cacheSize })

  return {
    read,
    analyze: text => read(text).statement,
    ready: parser.ready,
    get parserLoaded() {
      return parser.loaded
    }
  }

  function read(text: string): SqlText {
    const known = byText.get(text)
    if (known) {
      const { entry } = known
      if (!entry.settled) settle(entry, text, entry.statement.fingerprint)
      return known
    }
    const entry = scan(text)
    const created = new KnownText(entry, text.length > SCAN_LIMIT ? highestParameter(text) : folder.parameters)
    if (text.length <= REMEMBER_LIMIT) byText.set(text, created)
    return created
  }

  function scan(text: string): Entry {
    const scanned = text.length > SCAN_LIMIT ? text.slice(0, SCAN_LIMIT) : text
    folder.begin(scanned)
    const ended = lex(scanned, folder)
    // A bulk INSERT is the statement it would be with a row less, wherever in a row it was cut.
    const isCut = scanned !== text
    const isClosed = isCut && folder.closeList()
    // A quote too many or too few: what looks like SQL after the first literal may be data, and what like a literal SQL. Of
    // a text that is cut nobody knows.
    if (isCut ? !isClosed : !ended) tokens.cutAfterFirst(LITERAL)
    const whole = isCut ? isClosed && !goesOnAfterRows(text) : ended
    const normalised = render(tokens)
    const key = keyOf(normalised, whole)
    let entry = byNormalisedText.get(key)
    const formerly = entry?.statement.fingerprint
    if (!entry) {
      entry = { statement: describe(normalised, key), settled: !whole || tokens.count > PARSE_TOKENS }
      byNormalisedText.set(detach(key), entry)
    }
    tokens.text = ''
    if (!entry.settled && text.length <= PARSE_LIMIT) settle(entry, text, formerly)
    return entry
  }

  function describe(normalised: string, key: string): Statement {
    const { operation, table } = describeTokens(tokens)
    const fingerprint = hash('sha256', key).slice(0, 16)
    return createStatement(operation, table && detach(table), fingerprint, detach(cut(normalised, TEXT_LIMIT)))
  }

  /** `formerly` is the fingerprint under which the statement has been handed out, if it has. */
  function settle(entry: Entry, text: string, formerly: string | undefined): void {
    const { operation, text: redacted } = entry.statement
    const answer = parser.parse(text, operation)
    if (answer === 'later') return
    entry.settled = true
    if (answer === 'never') return
    const statement = createStatement(answer.operation, answer.table, answer.fingerprint, redacted)
    entry.statement = formerly === undefined ? statement : { ...statement, formerly }
  }
}

/**
 * A text that is not whole, for something in it never ends or for its length, does not share an entry with one that reads
 * the same and is. A long key is a hash, so that the map holds at most a few KiB a statement.
 */
function keyOf(normalised: string, whole: boolean): string {
  const key = normalised.length <= TEXT_LIMIT ? normalised : hash('sha256', normalised)
  return whole ? key : `${key}\0`
}

function createStatement(operation: string, table: string | null, fingerprint: string, text: string): Statement {
  return { operation, table, name: table === null ? operation : `${operation} ${table}`, fingerprint, text }
}
