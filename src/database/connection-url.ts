const MASK = '***'
const LONGEST_SHOWN = 200

/** Names of query parameters whose values are secrets; compared after percent-decoding. */
const secretParameter = /pass|pwd|secret|token|sslkey/i

/**
 * A connection string that may be shown: no password, one line, at most 200 characters. It never parses the whole, so
 * it holds for text that is no URL at all, and where it cannot tell it hides too much rather than too little.
 */
export function maskConnectionString(value: string): string {
  const masked = maskParameters(maskKeywords(maskUserInfo(value)))
  // Control and bidirectional characters could forge or reorder lines of a terminal or log.
  const line = masked.replace(/[\p{C}\u2028\u2029]/gu, '?')
  return line.length > LONGEST_SHOWN ? `${line.slice(0, LONGEST_SHOWN)}...` : line
}

function maskUserInfo(value: string): string {
  const [, scheme = '', rest = ''] = /^(\s*[a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(value) ?? []
  const colon = rest.indexOf(':')
  // The last @, because passwords are often pasted without percent-encoding their own.
  const at = rest.lastIndexOf('@')
  if (colon !== -1 && at > colon) return `${scheme}${rest.slice(0, colon)}:${MASK}${rest.slice(at)}`
  const isAddress = colon === -1 || at !== -1 || rest.startsWith('[')
  const isPort = /^:\d{1,5}(?:[/?#]|$)/.test(rest.slice(colon))
  return isAddress || isPort ? value : `${scheme}${rest.slice(0, colon)}:${MASK}`
}

function maskParameters(value: string): string {
  return value.replace(/([?&])([^=&#]*)=([^&#]*)/g, (pair, separator: string, name: string) =>
    secretParameter.test(decode(name)) ? `${separator}${name}=${MASK}` : pair
  )
}

/** libpq's other notation: `host=... password=...`. The value may be quoted and hold spaces. */
function maskKeywords(value: string): string {
  return value.replace(/((?:^|\s)password\s*=\s*).*?(?=\s+\w+\s*=|$)/gis, `$1${MASK}`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether pg can make something of it. Where the host is in the query, as for Unix sockets, that part of it is empty. */
export function isConnectionUrl(value: string): boolean {
  return URL.canParse(value) || URL.canParse(value.replace('@/', '@host/')) || /^\w+:\/\/\//.test(value)
}
