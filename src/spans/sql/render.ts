import { LITERAL, PLACEHOLDER, type TokenList } from './tokens.js'

const SPACE = 32
const DOUBLE_QUOTE = 34

/**
 * The normalised text. What stands in the source as it will stand in the result is copied in runs as long as possible:
 * a slice a run, not a slice a token.
 */
export function render(tokens: TokenList): string {
  const { text, count, kinds, starts, ends, gaps, renumbered } = tokens
  let result = ''
  let runStart = 0
  let runEnd = 0
  for (let i = 0; i < count; i++) {
    const kind = kinds[i] ?? 0
    const start = starts[i] ?? 0
    const gap = gaps[i] ?? 0
    const number = renumbered[i] ?? 0
    const hidden = kind === LITERAL || kind === PLACEHOLDER
    const adjoins = start - runEnd === gap && (gap === 0 || text.charCodeAt(runEnd) === SPACE)
    if (!hidden && number === 0 && adjoins && i > 0) {
      runEnd = ends[i] ?? 0
      continue
    }
    if (runEnd > runStart) result += text.slice(runStart, runEnd)
    if (gap === 1 && i > 0) result += ' '
    runEnd = ends[i] ?? 0
    runStart = hidden || number > 0 ? runEnd : start
    if (hidden) result += '?'
    else if (number > 0) result += `$${number}`
  }
  return runEnd > runStart ? result + text.slice(runStart, runEnd) : result
}

/**
 * The first `limit` UTF-16 units of a normalised text, or a few less: neither a surrogate pair nor a quoted identifier is
 * left in two, because half of either would read as something else.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  let opened = -1
  for (let i = 0; i < limit; i++) {
    if (text.charCodeAt(i) === DOUBLE_QUOTE) opened = opened < 0 ? i : -1
  }
  let end = opened < 0 ? limit : opened
  if (isHighSurrogate(text.charCodeAt(end - 1))) end--
  while (end > 0 && text.charCodeAt(end - 1) === SPACE) end--
  return text.slice(0, end)
}

/** A copy that shares no memory: V8 keeps the whole parent of a slice alive, and the parent holds what was redacted. */
export function detach(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
