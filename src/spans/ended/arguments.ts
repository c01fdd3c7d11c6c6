const AT = 0x40
const OPEN = 0x28
const CLOSE = 0x29
const COLON = 0x3a
const QUOTE = 0x22
const BRACE = 0x7b
const BRACKET = 0x5b
const UNBRACE = 0x7d
const UNBRACKET = 0x5d

/**
 * How many arguments the field in `source` (`alias: field(a: 1, b: $c) { ... }`) was given. Resolver spans do not say,
 * but they carry the field's own text.
 */
export function countArguments(source: string): number {
  let depth = 0
  let count = 0
  for (let index = startOfArguments(source); index < source.length; index += 1) {
    const code = source.charCodeAt(index)
    if (code === QUOTE) index = Math.max(index, source.indexOf('"', index + 1))
    else if (code === OPEN || code === BRACE || code === BRACKET) depth += 1
    else if (code === CLOSE || code === UNBRACE || code === UNBRACKET) depth -= 1
    else if (code === COLON && depth === 1) count += 1
    if (depth === 0) break
  }
  return count
}

/** Where the arguments of the field itself begin; the end where it has none. */
function startOfArguments(source: string): number {
  for (let index = 0; index < source.length; index += 1) {
    const code = source.charCodeAt(index)
    if (code === OPEN) return index
    // What comes after these belongs to a directive or to other fields.
    if (code === AT || code === BRACE) break
  }
  return source.length
}
