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
    secretParameter.test(decode(name, name)) ? `${separator}${name}=${MASK}` : pair
  )
}

/** libpq's other notation: `host=... password=...`. The value may be quoted and hold spaces. */
function maskKeywords(value: string): string {
  return value.replace(/((?:^|\s)password\s*=\s*).*?(?=\s+\w+\s*=|$)/gis, `$1${MASK}`)
}

function decode<Other>(text: string, otherwise: Other): string | Other {
  try {
    return decodeURIComponent(text)
  } catch {
    return otherwise
  }
}

/** Whether pg can make something of it. Where the host is in the query, as for Unix sockets, that part of it is empty. */
export function isConnectionUrl(value: string): boolean {
  if (/^\w+:\/\/\//.test(value)) return true
  const given = [value, value.replace('@/', '@host/')].find(text => URL.canParse(text))
  if (given === undefined) return false
  // pg escapes what cannot be an escape by itself; what looks like one has to be.
  if (/ |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i.test(value)) return true
  const { username, password } = new URL(given)
  return decode(username, undefined) !== undefined && decode(password, undefined) !== undefined
}
