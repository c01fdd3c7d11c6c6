import { createHash } from 'node:crypto'

/**
 * A copy that shares no memory with the string it came from. V8 cuts substrings as views, so a ten-letter operation
 * name would otherwise keep the whole request body alive for as long as the series lives.
 */
export function copyOf(text: string): string {
  // UTF-16 keeps even half a surrogate pair as it is.
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

/** The first 16 hexadecimal digits of the SHA-256 of `text`: enough to tell a few thousand texts apart. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/**
 * `text` when it has at most `limit` characters, else its start and a hash of the whole, so that a client cannot fill
 * the memory with long names and two long names do not fall together.
 */
export function boundedName(text: string, limit: number): string {
  if (text.length <= limit) return text
  return `${text.slice(0, limit - 17)}~${shortHash(text)}`
}
