import { LITERAL, PARAMETER, PLACEHOLDER, QUOTED, SYMBOL, WORD, type TokenSink } from './tokens.js'
import {
  blockCommentEnd,
  characterClass,
  CLASS_DIGIT,
  CLASS_SPACE,
  CLASS_WORD,
  digitsEnd,
  dollarQuoteEnd,
  lineCommentEnd,
  numberEnd,
  quotedIdentifierEnd,
  stringEnd,
  UNTERMINATED,
  wordEnd
} from './scan.js'

const DOUBLE_QUOTE = 34
const DOLLAR = 36
const AMPERSAND = 38
const QUOTE = 39
const STAR = 42
const DASH = 45
const POINT = 46
const SLASH = 47
const QUESTION = 63

// A larger number cannot be a bind parameter (the protocol counts them in 16 bits), so its digits may be data.
const PARAMETER_LENGTH = 6

/**
 * One pass over PostgreSQL's lexical grammar (its scan.l). Returns false when something never ends: then the rest of the
 * text, whatever it holds, was handed over as one literal.
 */
export function lex(text: string, sink: TokenSink): boolean {
  const length = text.length
  let at = 0
  while (at < length) {
    const code = text.charCodeAt(at)
    const kind = characterClass(code)
    if (kind === CLASS_SPACE) {
      at++
      continue
    }
    let end: number
    let token = SYMBOL
    if (kind === CLASS_WORD) {
      const opening = prefixedQuote(text, at, code)
      if (opening < 0) {
        token = WORD
        end = wordEnd(text, at + 1)
      } else if (text.charCodeAt(opening) === QUOTE) {
        token = LITERAL
        end = literalEnd(text, opening, (code | 32) === 101)
      } else {
        token = QUOTED
        end = quotedIdentifierEnd(text, opening)
      }
    } else if (kind === CLASS_DIGIT) {
      token = LITERAL
      end = numericEnd(text, at)
    } else if (code === QUOTE) {
      token = LITERAL
      end = literalEnd(text, at, false)
    } else if (code === DOUBLE_QUOTE) {
      token = QUOTED
      end = quotedIdentifierEnd(text, at)
    } else if (code === DOLLAR) {
      end = dollarQuoteEnd(text, at)
      if (end > at + 1 || end === UNTERMINATED) token = LITERAL
      else if (characterClass(text.charCodeAt(end)) === CLASS_DIGIT) {
        end = digitsEnd(text, end)
        token = end - at > PARAMETER_LENGTH ? LITERAL : PARAMETER
      }
    } else if (code === POINT && characterClass(text.charCodeAt(at + 1)) === CLASS_DIGIT) {
      token = LITERAL
      end = numericEnd(text, at)
    } else if (code === DASH && text.charCodeAt(at + 1) === DASH) {
      at = lineCommentEnd(text, at)
      continue
    } else if (code === SLASH && text.charCodeAt(at + 1) === STAR) {
      end = blockCommentEnd(text, at)
      if (end !== UNTERMINATED) {
        at = end
        continue
      }
    } else {
      if (code === QUESTION) token = PLACEHOLDER
      end = at + 1
    }
    if (end === UNTERMINATED) {
      sink.push(LITERAL, at, length)
      return false
    }
    sink.push(token, at, end)
    at = end
  }
  return true
}

/** Where the quote of `E'`, `B'`, `X'`, `N'`, `U&'` or `U&"` stands when the word at `at` is such a prefix, else -1. */
function prefixedQuote(text: string, at: number, code: number): number {
  const next = text.charCodeAt(at + 1)
  const letter = code | 32
  if (next === QUOTE) return letter === 101 || letter === 98 || letter === 120 || letter === 110 ? at + 1 : -1
  if (next !== AMPERSAND || letter !== 117) return -1
  const quote = text.charCodeAt(at + 2)
  return quote === QUOTE || quote === DOUBLE_QUOTE ? at + 2 : -1
}

/**
 * A word that touches a closing quote is either one of a few keywords (`'a'AS b`) or the sign of a quote too many or too
 * few (`'O'Brien'`): then what looks like SQL from here on may be data, and none of it is kept.
 */
function literalEnd(text: string, quote: number, escapes: boolean): number {
  const end = stringEnd(text, quote, escapes)
  if (end === UNTERMINATED || end >= text.length || characterClass(text.charCodeAt(end)) !== CLASS_WORD) return end
  return wordsAfterLiterals.has(text.slice(end, wordEnd(text, end + 1)).toUpperCase()) ? end : UNTERMINATED
}

/** A quote that touches a number is ambiguous: what comes before it may have been the E that allows backslashes. */
function numericEnd(text: string, at: number): number {
  const end = numberEnd(text, at)
  return text.charCodeAt(end) === QUOTE ? UNTERMINATED : end
}

const wordsAfterLiterals = new Set(
  (
    'AND AS ASC AT BETWEEN COLLATE DESC ELSE END ESCAPE EXCEPT FOR FROM GROUP HAVING ILIKE IN INTERSECT IS LIKE LIMIT ' +
    'NOT OFFSET ON OR ORDER RETURNING THEN TO UESCAPE UNION USING WHEN WHERE WITH'
  ).split(' ')
)
