export const UNTERMINATED = -1

export const CLASS_SYMBOL = 0
export const CLASS_SPACE = 1
export const CLASS_WORD = 2
export const CLASS_DIGIT = 3

const NEWLINE = 10
const RETURN = 13
const QUOTE = 39
const STAR = 42
const PLUS = 43
const DASH = 45
const POINT = 46
const SLASH = 47
const UNDERSCORE = 95
const BACKSLASH = 92
const DOLLAR = 36
const LETTER_E = 101

const classes = new Uint8Array(128)
// Control characters cannot appear between tokens in valid SQL: as space they neither glue tokens nor reach the output.
for (let code = 0; code <= 32; code++) classes[code] = CLASS_SPACE
classes[127] = CLASS_SPACE
for (let code = 48; code <= 57; code++) classes[code] = CLASS_DIGIT
for (let code = 65; code <= 90; code++) classes[code] = classes[code + 32] = CLASS_WORD
classes[UNDERSCORE] = CLASS_WORD

/** To PostgreSQL every character beyond ASCII is a letter, U+00A0 included. NaN, past the end, is a symbol. */
export function characterClass(code: number): number {
  return code < 128 ? (classes[code] ?? CLASS_SYMBOL) : code >= 128 ? CLASS_WORD : CLASS_SYMBOL
}

export function wordEnd(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (characterClass(code) < CLASS_WORD && code !== DOLLAR) break
    at++
  }
  return at
}

export function digitsEnd(text: string, at: number): number {
  while (characterClass(text.charCodeAt(at)) === CLASS_DIGIT) at++
  return at
}

/** Letters and digits that stick to a number (`1abc`): PostgreSQL rejects them, so they are part of what is hidden. */
function junkEnd(text: string, at: number): number {
  while (at < text.length && characterClass(text.charCodeAt(at)) >= CLASS_WORD) at++
  return at
}

/** 1, 1.5, .5, 1., 1e10, 1.5e-3, 0x1F, 1_000; all but the point and the exponent's sign counts as junk would. */
export function numberEnd(text: string, at: number): number {
  let end = junkEnd(text, at)
  if (text.charCodeAt(end) === POINT && text.charCodeAt(end + 1) !== POINT) end = junkEnd(text, end + 1)
  const sign = text.charCodeAt(end)
  const hexadecimal = (text.charCodeAt(at + 1) | 32) === 120
  if ((sign !== DASH && sign !== PLUS) || hexadecimal || (text.charCodeAt(end - 1) | 32) !== LETTER_E) return end
  return characterClass(text.charCodeAt(end + 1)) === CLASS_DIGIT ? junkEnd(text, end + 1) : end
}

/** The end of a string whose opening quote stands at `quote`, its continuations on later lines included. */
export function stringEnd(text: string, quote: number, escapes: boolean): number {
  let at = quote
  for (;;) {
    at = escapes ? escapedQuote(text, at + 1) : text.indexOf("'", at + 1)
    if (at < 0) return UNTERMINATED
    if (text.charCodeAt(at + 1) === QUOTE) {
      at++
      continue
    }
    const continued = continuation(text, at + 1)
    if (continued < 0) return at + 1
    at = continued
  }
}

function escapedQuote(text: string, at: number): number {
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return UNTERMINATED
}

/** Adjacent strings are one string when white space with a line break, or a line comment, is all that parts them. */
function continuation(text: string, at: number): number {
  let broken = false
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return broken ? at : UNTERMINATED
    if (code === DASH && text.charCodeAt(at + 1) === DASH) at = lineCommentEnd(text, at)
    else if (characterClass(code) !== CLASS_SPACE) return UNTERMINATED
    else {
      broken ||= code === NEWLINE || code === RETURN
      at++
    }
  }
  return UNTERMINATED
}

export function quotedIdentifierEnd(text: string, at: number): number {
  for (;;) {
    at = text.indexOf('"', at + 1)
    if (at < 0) return UNTERMINATED
    if (text.charCodeAt(at + 1) !== 34) return at + 1
    at++
  }
}

/** `at + 1` when no `$$` or `$tag$` opens here: the dollar is then a symbol of its own. */
export function dollarQuoteEnd(text: string, at: number): number {
  let end = at + 1
  if (characterClass(text.charCodeAt(end)) === CLASS_WORD) end = junkEnd(text, end)
  if (text.charCodeAt(end) !== DOLLAR) return at + 1
  const close = text.indexOf(text.slice(at, end + 1), end + 1)
  return close < 0 ? UNTERMINATED : close + end + 1 - at
}

export function lineCommentEnd(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) !== NEWLINE && text.charCodeAt(at) !== RETURN) at++
  return at
}

export function blockCommentEnd(text: string, at: number): number {
  let depth = 0
  for (; at < text.length - 1; at++) {
    const pair = text.charCodeAt(at)
    const next = text.charCodeAt(at + 1)
    if (pair === SLASH && next === STAR) depth++
    else if (pair === STAR && next === SLASH) depth--
    else continue
    at++
    if (depth === 0) return at + 1
  }
  return UNTERMINATED
}
