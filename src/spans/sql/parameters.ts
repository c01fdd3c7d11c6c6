/**
 * The highest bind parameter (`$3`) in a text that is too long to be read token by token, such as a bulk INSERT. What
 * looks like one inside a literal counts too.
 */
export function highestParameter(text: string): number {
  let highest = 0
  for (let at = text.indexOf('$'); at !== -1; at = text.indexOf('$', at + 1)) {
    highest = Math.max(highest, Number.parseInt(text.slice(at + 1, at + 6), 10) || 0)
  }
  return highest
}
