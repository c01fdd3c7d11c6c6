/** Characters of a text that are read; of what comes after them only what is told here. */
export const SCAN_LIMIT = 64 * 1024

/**
 * Whether the rows of an INSERT that is longer than that are followed by a clause, which makes it another statement than one
 * without; all those with a clause are one. Where the words are in a literal, or RETURNING is followed by one, it is wrong,
 * and so only is the row.
 */
export function goesOnAfterRows(text: string): boolean {
  return CONFLICT.test(text) || RETURNING.test(text.slice(-LONGEST_LIST))
}

const LONGEST_LIST = 2 * 1024
const CONFLICT = /\bON\s+CONFLICT\s*(?:\(|DO\b|ON\b)/i
const RETURNING = /\bRETURNING\b[^']*$/i
